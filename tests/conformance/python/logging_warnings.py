# logging and warnings go to standard error
# stderr = ["WARNING:app:careful", "DeprecationWarning: old"]
import logging
import warnings

logging.basicConfig(level=logging.INFO, format="%(levelname)s:%(name)s:%(message)s")
logging.getLogger("app").warning("careful")
logging.getLogger("app").debug("unseen")
warnings.simplefilter("always")
warnings.warn("old", DeprecationWarning)
print("done")
