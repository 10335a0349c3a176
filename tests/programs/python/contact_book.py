# a contact book with validation, search and export to vCard and CSV
import csv
import io
import json
import re
from operator import attrgetter


class ValidationError(ValueError):
    pass


class Field:
    def __init__(self, pattern, message):
        self.pattern, self.message = re.compile(pattern), message

    def __set_name__(self, owner, name):
        self.name = name

    def __get__(self, instance, owner):
        return instance.__dict__.get(self.name) if instance else self

    def __set__(self, instance, value):
        if value is not None and not self.pattern.fullmatch(value):
            raise ValidationError(f"{self.name}: {self.message} ({value!r})")
        instance.__dict__[self.name] = value


class Contact:
    email = Field(r"[\w.+-]+@[\w-]+\.[\w.]+", "not an e-mail address")
    phone = Field(r"\+?[\d\s()-]{6,20}", "not a phone number")

    def __init__(self, name, email=None, phone=None, groups=()):
        self.name, self.email, self.phone, self.groups = name, email, phone, set(groups)

    @property
    def digits(self):
        return re.sub(r"\D", "", self.phone or "")

    def vcard(self):
        last, _, first = self.name.rpartition(" ")[::-1]
        lines = ["BEGIN:VCARD", "VERSION:4.0", f"N:{last};{first};;;", f"FN:{self.name}"]
        lines += [f"EMAIL:{self.email}"] if self.email else []
        lines += [f"TEL;VALUE=uri:tel:{self.digits}"] if self.phone else []
        return "\r\n".join([*lines, "END:VCARD"])

    def __repr__(self):
        return f"Contact(name={self.name!r}, email={self.email!r}, groups={sorted(self.groups)})"


class Book:
    def __init__(self):
        self._contacts = []

    def __iadd__(self, contact):
        if any(c.email == contact.email for c in self if contact.email):
            raise ValidationError(f"{contact.email} is there already")
        self._contacts.append(contact)
        return self

    def __iter__(self):
        return iter(sorted(self._contacts, key=attrgetter("name")))

    def __len__(self):
        return len(self._contacts)

    def __getitem__(self, key):
        match key:
            case int() | slice():
                return list(self)[key]
            case str():
                found = [c for c in self if re.search(re.escape(key), f"{c.name} {c.email} {c.digits}", re.I)]
                if not found:
                    raise LookupError(key)
                return found

    def to_csv(self):
        out = io.StringIO()
        writer = csv.writer(out, quoting=csv.QUOTE_NONNUMERIC)
        writer.writerow(["name", "email", "phone", "groups"])
        for c in self:
            writer.writerow([c.name, c.email, c.phone, "|".join(sorted(c.groups))])
        return out.getvalue()


book = Book()
for row in [("Ada Lovelace", "ada@example.org", "+44 20 7946 0958", ["math", "code"]), ("Alan Turing", "alan@example.org", None, ["code"]), ("Grace Brewster Hopper", None, "(555) 123-4567"), ("Bad Mail", "nobody"), ("Bad Phone", None, "12ab"), ("Twin", "ada@example.org")]:
    try:
        book += Contact(*row)
    except ValidationError as error:
        print("skipped:", error)
print(len(book), book[0], book[-1].digits, [c.name for c in book[:2]])
for query in ("ALAN", "555", "xyz", "."):
    try:
        print(query, book[query])
    except LookupError as error:
        print(query, "not found:", repr(error))
print(book.to_csv())
print(*(c.vcard().replace("\r\n", " / ") for c in book), sep="\n")
print(json.dumps([{**vars(c), "groups": sorted(c.groups)} for c in book], indent=2))
rows = list(csv.reader(io.StringIO('a,"b ""q""",c\r\n"multi\nline",,\' x\n'), skipinitialspace=True))
print(rows, next(csv.reader(["a;b;c"], delimiter=";")), list(csv.reader(["1,2.5,x"], quoting=csv.QUOTE_NONE)))
