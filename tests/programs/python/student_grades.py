# a menu driven by standard input that keeps students and grades
# stdin = "1\nAnn\n90 85 77.5\n1\nBob\n60 abc\n60 70\n1\n\n9\n2\n3\nAnn\n3\nZed\n4\n5\n"
students = {}


def read_grades():
    while True:
        text = input("Grades separated by spaces: ")
        try:
            grades = [float(word) for word in text.split()]
        except ValueError as error:
            print(f"Invalid input ({error}). Please try again.")
            continue
        if not all(0 <= grade <= 100 for grade in grades):
            print("Grades are between 0 and 100.")
            continue
        return grades


def add():
    name = input("Name: ").strip().title()
    if not name:
        print("A name is needed.")
        return
    students[name] = read_grades()
    print(f"Added {name} with {len(students[name])} grades.")


def letter(average):
    for limit, mark in ((90, "A"), (80, "B"), (70, "C"), (60, "D")):
        if average >= limit:
            return mark
    return "F"


def show_all():
    print(f"{'Name':<10} {'Average':>8} Grade")
    for name, grades in sorted(students.items(), key=lambda pair: -sum(pair[1])):
        average = sum(grades) / len(grades)
        print(f"{name:<10} {average:>8.2f} {letter(average):^5}")


def show_one():
    name = input("Whose? ")
    try:
        grades = students[name]
    except KeyError as error:
        print(f"No student named {error}.")
    else:
        print(f"{name}: {grades}, best {max(grades)}, worst {min(grades)}")


def histogram():
    everything = [grade for grades in students.values() for grade in grades]
    for low in range(50, 100, 10):
        count = sum(low <= grade < low + 10 for grade in everything)
        print(f"{low:>3}-{low + 9}: {'*' * count}")


MENU = {"1": ("Add a student", add), "2": ("Show all", show_all), "3": ("Show one", show_one), "4": ("Histogram", histogram), "5": ("Quit", None)}
while True:
    print("\n=== Menu ===")
    for key, (title, _) in MENU.items():
        print(f"{key}. {title}")
    choice = input("> ")
    if choice not in MENU:
        print("Unknown choice:", choice)
        continue
    title, action = MENU[choice]
    if action is None:
        print("Goodbye!")
        break
    action()
