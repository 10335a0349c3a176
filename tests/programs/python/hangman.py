# hangman against a fixed list of guesses, with drawings
import random
from string import ascii_lowercase

WORDS = ["python", "wasm", "sandbox", "container"]
STAGES = [
    "", "=========", "    |\n    |\n    |\n    |\n=========", "+---+\n    |\n    |\n    |\n    |\n=========",
    "+---+\n|   |\nO   |\n    |\n    |\n=========", "+---+\n|   |\nO   |\n|   |\n    |\n=========",
    "+---+\n|   |\nO   |\n/|\\ |\n    |\n=========", "+---+\n|   |\nO   |\n/|\\ |\n/ \\ |\n=========",
]


class Hangman:
    def __init__(self, word, lives=len(STAGES) - 1):
        self.word, self.lives, self.guessed = word, lives, set()

    @property
    def wrong(self):
        return sorted(self.guessed - set(self.word))

    @property
    def shown(self):
        return " ".join(c if c in self.guessed else "_" for c in self.word)

    @property
    def state(self):
        if set(self.word) <= self.guessed:
            return "won"
        return "lost" if len(self.wrong) >= self.lives else "playing"

    def guess(self, letter):
        if len(letter) != 1 or letter not in ascii_lowercase:
            raise ValueError(f"{letter!r} is not a letter")
        if letter in self.guessed:
            return "again"
        self.guessed.add(letter)
        return "hit" if letter in self.word else "miss"


def best_guess(game, words):
    pattern = game.shown.split()
    possible = [w for w in words if len(w) == len(pattern) and all(p in ("_", c) for p, c in zip(pattern, w)) and not set(w) & set(game.wrong)]
    counts = {letter: sum(letter in word for word in possible) for letter in ascii_lowercase if letter not in game.guessed}
    return max(counts, key=lambda letter: (counts[letter], letter))


rng = random.Random(3)
game = Hangman(rng.choice(WORDS))
for letter in ["e", "a", "1", "a", "xyz", "s", "n", "q", "t", "o", "d", "b", "x", "w", "m"]:
    try:
        print(f"{letter}: {game.guess(letter):<6} {game.shown}   wrong: {''.join(game.wrong)}")
    except ValueError as error:
        print("Oops:", error)
    if game.state != "playing":
        break
print(game.state, game.word)
for word in WORDS:
    game = Hangman(word)
    steps = []
    while game.state == "playing":
        letter = best_guess(game, WORDS)
        steps.append(letter if game.guess(letter) == "hit" else f"({letter})")
    print(f"{word:<10} {game.state:<5} {' '.join(steps)}")
for wrong in (1, 4, 7):
    game = Hangman("zzz")
    for letter in "abcdefg"[:wrong]:
        game.guess(letter)
    print(STAGES[len(game.wrong)], game.state, sep="\n")
board = [["." for _ in range(7)] for _ in range(6)]


def drop(column, player):
    for row in reversed(board):
        if row[column] == ".":
            row[column] = player
            return
    raise IndexError(f"column {column} is full")


for turn in range(20):
    try:
        drop(rng.randrange(7), "XO"[turn % 2])
    except IndexError as error:
        print(error)
print("\n".join(" ".join(row) for row in board))
