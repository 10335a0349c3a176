# text in every script
import unicodedata

for text in ["naïve café", "Ελλάδα", "日本語", "🙂👩‍👩‍👧", "\u202eabc"]:
    print(text, len(text), text.encode("utf-8").hex()[:20], text.upper())
print(unicodedata.normalize("NFD", "é") == "e\u0301", unicodedata.name("ß"), "ß".casefold())
print("ünï".encode("latin-1"), b"\xe4".decode("cp1252"), "x".encode("utf-16"), "日".encode("shift_jis"))
print("%s|%5.1f|%-4d|%r" % ("a", 2.345, 7, "q"))
