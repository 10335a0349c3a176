# expect: exec-of-decoded-text:17 exec-of-decoded-text:22 exec-of-decoded-text:23 unsafe-deserialisation:23
import codecs
import marshal
import zlib
from base64 import b64decode as decode

PAYLOAD = "eJwrKMrMK9Ew1AQADCwCzQ=="


def unpack(text):
    packed = decode(text)
    return zlib.decompress(packed).decode()


def main():
    code = unpack(PAYLOAD)
    exec(compile(code, "payload", "exec"))


main()
run = eval
run(codecs.decode("cevag(1)", "rot13"))
exec(marshal.loads(decode("AAAA")))
