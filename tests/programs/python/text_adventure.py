# a small text adventure driven by commands from standard input
# stdin = "look\ngo north\ntake lamp\ngo cellar\nuse lamp\ninventory\ndance\ngo down\nsave\nquit\n"
import cmd
import json
import pickle
import sys

ROOMS = {
    "hall": {"about": "A dusty hall.", "exits": {"north": "kitchen"}, "items": []},
    "kitchen": {"about": "It smells of soup.", "exits": {"south": "hall", "down": "cellar"}, "items": ["lamp", "spoon"]},
    "cellar": {"about": "Dark and cold.", "exits": {"up": "kitchen"}, "items": ["treasure"]},
}


class Game(cmd.Cmd):
    intro = "Welcome! Type help or ? to list commands."
    prompt = "> "
    use_rawinput = False

    def __init__(self):
        super().__init__(stdin=sys.stdin, stdout=sys.stdout)
        self.place, self.items, self.moves = "hall", [], 0

    def do_look(self, _):
        "Look around."
        room = ROOMS[self.place]
        print(room["about"])
        if room["items"]:
            print("You see:", ", ".join(room["items"]))
        print("Exits:", *room["exits"])

    def do_go(self, where):
        "Go somewhere: go north"
        exits = ROOMS[self.place]["exits"]
        if where not in exits:
            print(f"You cannot go {where}.")
            return
        self.place = exits[where]
        self.do_look("")

    def do_take(self, item):
        "Take something."
        try:
            ROOMS[self.place]["items"].remove(item)
        except ValueError:
            print("There is no", item)
        else:
            self.items.append(item)
            print("Taken.")

    def do_inventory(self, _):
        print(self.items or "nothing")

    def do_save(self, _):
        with open("save.pickle", "wb") as file:
            pickle.dump({"place": self.place, "items": self.items}, file)
        with open("save.pickle", "rb") as file:
            print("saved", json.dumps(pickle.load(file)))

    def do_quit(self, _):
        "Leave."
        print("Bye.")
        return True

    def default(self, line):
        print("I do not know how to", repr(line))

    def postcmd(self, stop, line):
        self.moves += 1
        return stop


game = Game()
game.cmdloop()
print(game.moves, "moves")
game.onecmd("help")
game.onecmd("help go")
print(game.completenames("in"), game.parseline("take  the lamp"))
