# logging: levels, formatters, handlers, filters, exceptions
import io
import logging
import logging.handlers
import sys

stream = io.StringIO()
logger = logging.getLogger("shop")
logger.setLevel(logging.DEBUG)
logger.propagate = False
console = logging.StreamHandler(sys.stdout)
console.setLevel(logging.INFO)
console.setFormatter(logging.Formatter("%(levelname)-8s|%(name)s|%(funcName)s|%(message)s"))
buffer = logging.StreamHandler(stream)
buffer.setFormatter(logging.Formatter("{levelno}:{module}:{message}", style="{"))
logger.addHandler(console)
logger.addHandler(buffer)


class Redact(logging.Filter):
    def filter(self, record):
        record.msg = str(record.msg).replace("secret", "******")
        return "noise" not in record.getMessage()


logger.addFilter(Redact())


def process(order):
    logger.debug("processing %r", order)
    try:
        total = sum(order["prices"]) / order["count"]
    except ZeroDivisionError:
        logger.exception("cannot process %s", order["id"])
    except KeyError as error:
        logger.error("missing %s", error, exc_info=False)
    else:
        logger.info("average %.2f of %(x)s" if False else "average %.2f", total)


process({"id": 1, "prices": [1, 2.5], "count": 2})
process({"id": 2, "prices": [1], "count": 0})
process({"id": 3})
logger.warning("the secret is out")
logger.info("noise")
child = logging.getLogger("shop.cart")
child.critical("from the child", extra={"user": "ann"})
print(child.getEffectiveLevel(), child.isEnabledFor(logging.DEBUG), logging.getLevelName(35), child)
memory = logging.handlers.MemoryHandler(10, flushLevel=logging.ERROR, target=console)
other = logging.getLogger("other")
other.addHandler(memory)
other.setLevel("INFO")
other.info("kept for later")
print("nothing yet")
other.error("flushes")
adapter = logging.LoggerAdapter(logger, {"request": 7})
adapter.info("adapted")
handler = logging.handlers.RotatingFileHandler("app.log", maxBytes=60, backupCount=2)
handler.setFormatter(logging.Formatter("%(message)s"))
other.addHandler(handler)
for number in range(6):
    other.info("line number %d of the log", number)
logging.shutdown()
for name in ("app.log", "app.log.1", "app.log.2"):
    print(name, open(name).read().splitlines())
print(stream.getvalue())
logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(levelname)s %(message)s", force=True)
logging.info("root %s", {"a": 1})
