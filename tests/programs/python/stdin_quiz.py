# asks questions with input() and keeps the score
# stdin = "Ann\n4\nfive\n5\nparis\n\ny\n"
import sys

QUESTIONS = [("2 + 2?", "4"), ("How many fingers on a hand?", "5"), ("Capital of France?", "Paris")]


def ask(question, answer, tries=2):
    for attempt in range(1, tries + 1):
        given = input(f"{question} ({attempt}/{tries}) ").strip()
        if given.casefold() == answer.casefold():
            print("Correct!")
            return True
        print(f"{given!r} is wrong.")
    return False


name = input("What is your name? ") or "stranger"
print(f"Hello, {name}!")
score = sum(ask(question, answer) for question, answer in QUESTIONS)
print(f"{name} has {score} of {len(QUESTIONS)} ({score / len(QUESTIONS):.0%})")
nothing = input()
print(repr(nothing))
again = input("Again? [y/n] ")
print(again == "y")
try:
    input("More? ")
except EOFError as error:
    print(f"\n{type(error).__name__}: {error}")
print(sys.stdin.read() == "", sys.stdin.readline() == "")
