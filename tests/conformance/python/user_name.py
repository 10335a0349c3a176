# the user has a name, unless the environment says otherwise
# only = "an image has users of its own"
import getpass
import os

print(getpass.getuser(), os.getlogin())
os.environ["USER"] = "ada"
print(getpass.getuser())
