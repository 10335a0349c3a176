# an exception of the program's own, with its class and message
# exit = 1
# raises = "Refused"
# stderr = ["Refused: not today", "line 10"]


class Refused(Exception):
    pass

raise Refused("not today")
