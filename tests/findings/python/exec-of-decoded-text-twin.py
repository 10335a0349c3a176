# expect:
import base64
import zlib

text = base64.b64decode("cHJpbnQoMSk=").decode()
print(text, zlib.decompress(zlib.compress(b"exec(1)")))
exec("x = 1")


class Model:
    def eval(self, data):
        return data


model = Model()
model.eval(base64.b64decode("AAAA"))
