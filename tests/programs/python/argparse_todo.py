# a to-do list with argparse, kept in a JSON file
import argparse
import json
import sys
from pathlib import Path

FILE = Path("todo.json")


def build_parser():
    parser = argparse.ArgumentParser(prog="todo", description="Keep a list of things to do.", epilog="That is all.")
    parser.add_argument("-v", "--verbose", action="count", default=0, help="say more (may be repeated)")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    add = commands.add_parser("add", help="add an item")
    add.add_argument("text", nargs="+")
    add.add_argument("-p", "--priority", type=int, choices=range(1, 4), default=2)
    done = commands.add_parser("done", help="mark items as done")
    done.add_argument("number", type=int, nargs="*")
    group = commands.add_parser("list", help="list items").add_mutually_exclusive_group()
    group.add_argument("--all", action="store_true")
    group.add_argument("--format", choices=["plain", "json"], default="plain")
    return parser


def load():
    return json.loads(FILE.read_text()) if FILE.exists() else []


def run(*arguments):
    print("$ todo", *arguments)
    try:
        options = build_parser().parse_args(arguments)
    except SystemExit as error:
        print("exit", error.code)
        return
    items = load()
    match options.command:
        case "add":
            items.append({"text": " ".join(options.text), "priority": options.priority, "done": False})
        case "done":
            for number in options.number:
                items[number - 1]["done"] = True
        case "list" if options.format == "json":
            print(json.dumps(items, indent=2))
        case "list":
            for number, item in enumerate(sorted(items, key=lambda i: -i["priority"]), 1):
                if options.all or not item["done"]:
                    print(f"{number}. [{'x' if item['done'] else ' '}] {item['text']} {'!' * item['priority']}")
    if options.verbose:
        print(options)
    FILE.write_text(json.dumps(items))


sys.stderr = sys.stdout
run("add", "buy", "milk")
run("-vv", "add", "--priority", "3", "call mum")
run("done", "1")
run("list")
run("list", "--all")
run("list", "--format", "json")
run("add", "-p", "9", "x")
run("list", "--all", "--format=json")
run("done", "one")
run("remove")
run()
run("--help")
run("add", "-h")
