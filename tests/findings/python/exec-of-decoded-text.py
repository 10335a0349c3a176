# expect: exec-of-decoded-text:4
import base64

exec(base64.b64decode("cHJpbnQoMSk="))
