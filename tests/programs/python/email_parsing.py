# builds and parses e-mail messages, addresses, headers and MIME parts
import email
import mimetypes
import quopri
from email import policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.utils import formataddr, format_datetime, getaddresses, parseaddr, parsedate_to_datetime

RAW = """\
From: =?utf-8?q?J=C3=BCrgen?= <juergen@example.de>
To: Ann <ann@example.org>, "Bob, Jr." <bob@example.org>
Subject: =?iso-8859-1?Q?Gr=FC=DFe?= and more
Date: Tue, 04 Mar 2025 10:11:12 +0100
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="XX"
X-Long: one
 two
 three

--XX
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: quoted-printable

Hall=C3=B6 =
Welt
--XX
Content-Type: application/json
Content-Disposition: attachment; filename="data.json"
Content-Transfer-Encoding: base64

eyJhIjogMX0=
--XX--
"""
message = email.message_from_string(RAW, policy=policy.default)
print(message["from"], "|", message["subject"], "|", message["date"].datetime.isoformat(), "|", message["x-long"])
print([(address.display_name, address.addr_spec) for address in message["to"].addresses])
for part in message.walk():
    print(part.get_content_type(), part.get_content_disposition(), part.get_filename(), part.is_multipart())
print(repr(message.get_body().get_content()), [a.get_content() for a in message.iter_attachments()])

new = EmailMessage()
new["Subject"] = "Monthly report – März"
new["From"] = formataddr(("Zoë", "zoe@example.org"))
new["To"] = "team@example.org"
new["Date"] = "Wed, 05 Mar 2025 08:00:00 +0000"
new.set_content("Plain text\nwith ünï\n")
new.add_alternative("<p>HTML</p>", subtype="html")
new.add_attachment(b"a,b\n1,2\n", maintype="text", subtype="csv", filename="räport.csv")
for part in new.walk():
    if part.is_multipart():
        part.set_boundary(f"=={part.get_content_subtype()}==")
print(new.as_string())
again = email.message_from_bytes(new.as_bytes(), policy=policy.default)
print(again["subject"], [part.get_filename() for part in again.iter_attachments()], len(again.get_payload()))
old = MIMEMultipart(boundary="BB")
old["Subject"] = "Old style"
old.attach(MIMEText("body é", "plain", "utf-8"))
print(old.as_string())
print(getaddresses(["A <a@x>, b@y"]), parseaddr('"Q, T" <q@t.org> (note)'), parsedate_to_datetime("Thu, 1 Jan 1970 00:00:00 GMT"), format_datetime(message["date"].datetime))
print(str(make_header(decode_header("=?utf-8?b?w6TDtg==?= x"))), quopri.encodestring(b"caf\xc3\xa9 = x").decode())
print([mimetypes.guess_type(name) for name in ("a.html", "b.tar.gz", "c.json", "d.unknown", "e.PNG")], mimetypes.guess_extension("text/plain"))
broken = email.message_from_string("No headers here\n\nbody", policy=policy.default)
print(broken.defects, broken.keys(), repr(broken.get_content()))
