# modules that every tier has: the program itself, and the client of tools
import __main__
import glovebox

answer = 42
print(__main__.__name__, __main__.answer, glovebox.__name__)
