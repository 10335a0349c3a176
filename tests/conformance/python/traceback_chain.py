# causes, notes and groups
# exit = 1
# raises = "ExceptionGroup"
# stderr = ["KeyError: 'x'", "The above exception was the direct cause", "a note", "ExceptionGroup: two (2 sub-exceptions)", "ValueError: one", "TypeError: two"]
try:
    {}["x"]
except KeyError as cause:
    try:
        raise RuntimeError("second") from cause
    except RuntimeError as error:
        error.add_note("a note")
        import traceback
        print(traceback.format_exc().count("Traceback"))
        raise ExceptionGroup("two", [ValueError("one"), TypeError("two")]) from error
