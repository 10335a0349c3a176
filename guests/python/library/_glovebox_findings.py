"""What in a Python program should somebody know of before it runs?

Runs in the sandbox, as the host's inspection asks for it; the program is on standard input. It is part of the library so that it is
compiled once and not in every inspection. It prints pairs of a rule and a line. They are a signal: a program that wants to hide
from this can, and one that is found is held no better and no worse than any other. So rules rather miss something than accuse an ordinary
program, and comments and documentation say nothing.
"""

import ast
import json
import re
import sys
import warnings

MOST = 100
"""How many findings are told."""

LONG = 1024
"""Characters of a text that is put together from parts; a longer one is not followed, as each step would copy it again."""

NESTED = 16 << 10
"""Characters of a text that a program executes and that is looked at as a program; a longer one can be too deep for the parser's stack."""
MOST_NESTED = 100
"""How many of those."""

# Ways to a thing whose name is not there in one piece.
DETOURS = "getattr __import__ import_module __dict__ __builtins__ vars( globals( \\x6 \\x7".split()
# Not `exec` and `eval` alone: much is executed and evaluated.
RUNNERS = [*"exec( exec) exec, exec. =exec eval( eval) eval, eval. =eval FunctionType".split(), "exec (", "= exec", "eval (", "= eval"]
STARTERS = [*"subprocess popen fork spawn startfile getoutput CreateProcess execv execl .system system( system,".split(), "import system", ", system"]

# A rule only applies to a program that has one of its words. The host looks for them first (`words.txt`) and mostly need not parse at all.
WORDS = {
    "process-spawn": [*STARTERS, *DETOURS],
    "exec-of-decoded-text": [*RUNNERS, *STARTERS, *DETOURS],
    "exec-of-fetched-text": [*RUNNERS, *STARTERS, *DETOURS],
    "dynamic-code": [*RUNNERS, *DETOURS],
    "unsafe-deserialisation": ["pickle", "cPickle", "marshal", "dill", "unsafe_load", *DETOURS],
    "native-code": ["ctypes", "cffi", "create_dynamic", "load_dynamic", "ExtensionFileLoader", "PROT_EXEC", "setdlopenflags", *DETOURS],
    "sandbox-escape-shape": ["__subclasses__", "__globals__", "f_builtins", "f_back", "co_code", "CodeType", *DETOURS],
    "fork-bomb": ["fork", "Popen", "threading", "multiprocessing", "start_new_thread", ":(){", ":() {"],
    "reverse-shell": [*STARTERS, "socket", "/dev/tcp/", "/dev/udp/", "sh -i", "-e /", "-c /", "-e bash", "-e cmd"],
    "long-encoded-text": ["64decode", "85decode", "32decode", "16decode", "decodebytes", "a2b_", "unhexlify", "fromhex"],
    "disguised-text": ["utf-7", "utf_7", "utf7", "UTF-7", "UTF7", "unicode_escape", "unicode-escape", "punycode"],
    "metadata-address": (
        "169.254 254.169 100.100.100 168.63.129 192.0.0.192 169.16689 2852039 0xA9 0xa9 0XA9 0251 025177 a9fe A9FE fd00:ec2 FD00:EC2 fd20:ce "
        "metadata.goog metadata.tencentyun instance-data"
    ).split(),
    "crypto-miner": (
        "stratum xmrig XMRig xmr-stak minerd coinhive CoinHive coin-hive cryptonight CryptoNight cryptoNight Cryptonight mining.subscribe "
        "mining.authorize donate-level supportxmr minexmr moneroocean xmrpool nanopool 2miners f2pool ethermine hashvault c3pool minergate "
        "unmineable herominers crypto-pool nicehash"
    ).split(),
    "private-key-path": [".ssh", "/etc/shadow", "/etc/gshadow", ".gnupg", "ssh_host_"],
    "credential-path": (
        ".ssh .aws netrc .docker docker.sock .kube /environ .npmrc .pypirc .git-credentials gcloud default_credentials .azure gh/hosts .cargo "
        ".pgpass .my.cnf .vault-token run/secrets .gnupg /etc/shadow /etc/gshadow wallet.dat /Cookies \\Cookies cookies.sqlite logins.json key4.db "
        ".mozilla google-chrome/ bash_history zsh_history python_history mysql_history psql_history"
    ).split()
    + ["Login Data"],
    "account-file": ["/etc/passwd"],
}

POOLS = (
    r"supportxmr\.com|minexmr\.com|moneroocean\.stream|xmrpool\.eu|nanopool\.org|2miners\.com|f2pool\.com|ethermine\.org|hashvault\.pro|"
    r"c3pool\.(?:com|org)|minergate\.com|unmineable\.com|herominers\.com|crypto-pool\.fr|nicehash\.com"
)
READING = r"\b(?:cat|cp|scp|curl|tar|base64|head|tail|less)\s[^|;&\n]{0,200}"

# Rules for texts; what could be repeated without end is followed by nothing that could send the search back.
TEXTS = [
    ("crypto-miner", r"\bstratum[12]?\+(?:tcp|ssl|tls|udp)s?://|(?<![\w.-])(?:xmrig|XMRig|minerd|xmr-stak)(?![\w-])|--donate-level"),
    ("crypto-miner", r"\bcoinhive(?:\.min)?\.js|\bcoin-?hive\.com|\bCoinHive\.|\b[Cc]rypto[Nn]ight\b|\bmining\.(?:subscribe|authorize)\b"),
    ("crypto-miner", rf"(?<![\w.\-/@])(?:[\w-]{{1,63}}\.){{0,4}}(?:{POOLS})(?::\d+)?(?![\w./-])"),
    ("fork-bomb", r":\s*\(\)\s*\{\s*:\s*\|\s*:\s*&\s*\}\s*;\s*:"),
    ("reverse-shell", r"/dev/(?:tcp|udp)/[\w.${~%-]|/(?:ba|da|z|k)?sh\s+-i\b|\b(?:ba|da|z|k)?sh\s+-i\s{0,4}(?:[<>|]|\d>)"),
    ("reverse-shell", r"\bn(?:c|cat|etcat)\b.{0,80}\s-[ec]\s{0,4}(?:\S{0,40}/(?:ba|da|z|k)?sh|bash|cmd\.exe)\b"),
    ("private-key-path", r"^(?:\S*[/\\])?\.ssh[/\\]+id_(?:rsa|dsa|ecdsa|ed25519)(?:_sk)?$|^\S*/etc/g?shadow-?$|^\S*/etc/ssh/ssh_host_\w+_key$"),
    ("private-key-path", r"/\.gnupg/(?:private-keys|secring)"),
    ("private-key-path", rf"{READING}(?:\.ssh/id_(?:rsa|dsa|ecdsa|ed25519)\b(?!\.pub)|/etc/g?shadow\b)"),
    ("credential-path", r"(?:^|[/\\])\.(?:ssh(?:[/\\](?!\S*\.pub\b|known_hosts)|$)|gnupg\b|aws[/\\]+(?:credentials|config)\b|kube[/\\]+config\b)"),
    ("credential-path", r"(?:^|[/\\])(?:[._]netrc|\.(?:npmrc|pypirc|git-credentials|pgpass|my\.cnf|vault-token|(?:ba|z)sh_history))\b"),
    ("credential-path", r"(?:^|[/\\])\.(?:(?:python|mysql|psql)_history\b|docker[/\\]+config\.json|config[/\\]+gcloud|azure[/\\])"),
    ("credential-path", r"/proc/[\w~-]+/environ\b|/etc/g?shadow\b|\bdocker\.sock\b|\bapplication_default_credentials|/run/secrets/"),
    ("credential-path", r"\bwallet\.dat\b|[/\\]Cookies$|\bcookies\.sqlite|[/\\]Login Data\b|\blogins\.json|\bkey4\.db|\.mozilla[/\\]+firefox"),
    ("credential-path", r"\bgoogle-chrome/(?:Default|Profile)|\bgh[/\\]+hosts\.yml|(?:^|[/\\])\.cargo[/\\]+credentials"),
    ("account-file", rf"^\S*/etc/passwd\b|{READING}/etc/passwd\b"),
    ("sandbox-escape-shape", r"__(?:class|mro|bases?)__.{0,200}__subclasses__|__(?:init|class|call)__\.__globals__|__globals__\W{1,4}__builtins__"),
]


class Pattern:
    """A pattern that is compiled when it is first asked for: that costs more than most inspections."""

    def __init__(self, text):
        self.text = text

    def __getattr__(self, name):
        found = getattr(re.compile(self.text), name)
        setattr(self, name, found)
        return found


# Where clouds tell a machine its credentials: 169.254.169.254, .170.2, .170.23, .0.23, 100.100.100.200, 168.63.129.16, 192.0.0.192.
ADDRESSES = {0xA9FEA9FE, 0xA9FEAA02, 0xA9FEAA17, 0xA9FE0017, 0x646464C8, 0xA83F8110, 0xC00000C0}
HOSTS = set(
    "metadata.google.internal metadata.goog metadata.tencentyun.com instance-data instance-data.ec2.internal fd00:ec2::254 fd00:ec2::23 "
    "fd20:ce::254 ::ffff:169.254.169.254 ::ffff:a9fe:a9fe".split()
)
AUTHORITY = Pattern(r"://([^\s/?#'\"<>\\]{1,300})")
ALONE = Pattern(r"(\[[\w.:]{2,60}\]|[\w.-]{7,60}|[\da-f:]{7,60})(?::\d{1,5})?(?:/\S*)?$")
WITH_PATH = Pattern(r"(?<![\w.])169\.254\.169\.254/(?:latest|computeMetadata|metadata|opc|openstack)\b")
NUMBER = Pattern(r"0x[\da-f]{1,12}$|[0-9]{1,15}$")
OCTAL = Pattern(r"0[0-7]+$")

PRINTABLE = Pattern(r"[!-~\s]+$")
HIDING = Pattern(rb"(?i)[ \t\f]*#[^\n]*?coding[:=][ \t]*(?:utf[-_]?7|(?:raw[-_])?unicode[-_]escape|punycode)\b")
LEGIBLE = Pattern(r"(?i)utf|u8|ascii|us-|latin|l1|iso|cp|windows|mbcs|gb|big5|euc|shift|koi|mac")
SHELL = Pattern(r"(?i)(?:\S*/)?(?:ba|da|z|k|c)?sh(?:\s|$)|(?:\S*[/\\])?(?:cmd|powershell|pwsh)(?:\.exe)?(?:\s|$)")

CODE = {"exec", "eval", "types.FunctionType"}
SPAWNING = set(
    "os.system os.popen os.popen2 os.popen3 os.fork os.forkpty os.startfile pty.spawn pty.fork pexpect.spawn commands.getoutput "
    "commands.getstatusoutput _posixsubprocess.fork_exec _winapi.CreateProcess asyncio.create_subprocess_exec asyncio.create_subprocess_shell "
    "subprocess.run subprocess.call subprocess.check_call subprocess.check_output subprocess.Popen subprocess.getoutput "
    "subprocess.getstatusoutput".split()
)
FAMILIES = ("os.exec", "os.spawn", "os.posix_spawn")
NATIVE = set(
    "ctypes.CDLL ctypes.PyDLL ctypes.WinDLL ctypes.OleDLL ctypes.cdll ctypes.pydll ctypes.windll ctypes.oledll ctypes.pythonapi "
    "ctypes.LibraryLoader _ctypes.dlopen cffi.FFI().dlopen _imp.create_dynamic imp.load_dynamic importlib.machinery.ExtensionFileLoader "
    "mmap.PROT_EXEC sys.setdlopenflags".split()
)
LOADING = set("pickle.loads _pickle.loads cPickle.loads dill.loads cloudpickle.loads marshal.loads yaml.unsafe_load jsonpickle.decode".split())
DECODING = set(
    "b64decode standard_b64decode urlsafe_b64decode b32decode b32hexdecode b16decode a85decode b85decode z85decode decodebytes decodestring "
    "a2b_base64 a2b_hex a2b_uu unhexlify fromhex decompress decrypt".split()
)
FETCHING = set(
    "urllib.request.urlopen urllib2.urlopen urllib.urlopen urllib3.request urllib3.PoolManager().request requests.get requests.post "
    "requests.request requests.Session().get requests.Session().post httpx.get httpx.post httpx.Client().get".split()
)
SOCKETS = {"socket.socket", "socket.create_connection"}
RECEIVING = {"recv", "recvfrom", "recvmsg", "makefile"}
# These hand on what they are given.
PASSING = set("str bytes bytearray memoryview compile map filter iter next io.BytesIO io.StringIO textwrap.dedent".split())
STARTING = set(
    "os.fork os.forkpty subprocess.Popen threading.Thread().start multiprocessing.Process().start _thread.start_new_thread".split()
)
HARMLESS = set("fork forkpty Popen Thread Process start start_new_thread print append getpid str len range".split())
LEAVING = (ast.Break, ast.Return, ast.Raise, ast.Assert, ast.Await, ast.Yield, ast.YieldFrom)
BUILTINS = CODE | DECODING | PASSING | set("__import__ getattr vars globals locals __builtins__ object type chr".split())
FRAME_OWNERS = {"gi_frame", "ag_frame", "cr_frame"}
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
SCOPES = (*FUNCTIONS, ast.ClassDef, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
DISPLAYS = (ast.Tuple, ast.List, ast.Set)

# Where a value comes from, as bits. What is only partly from there is MIXED; CHARACTER is one that many of would be a decoded text.
DECODED, FETCHED, RECEIVED, SOCKET, CHARACTER, MIXED = 1, 2, 4, 8, 16, 32

# What is known of an expression: the name of what it is (`os.system`), its text where that is constant, where it comes from.
NOTHING = (None, None, 0)


class Scope:
    """The names of a module, class or function, and what is known of all values that each of them ever has."""

    def __init__(self, node, outer, module):
        self.node, self.outer, self.module = node, outer, module or self
        self.is_class = isinstance(node, ast.ClassDef)
        # The class that `self` is of.
        self.owner = outer if outer and outer.is_class else outer and outer.owner
        self.names, self.times, self.parameters, self.elsewhere = {}, {}, set(), set()
        self.result, self.runs_parameter, self.starts, self.repeats = 0, False, None, False

    def find(self, name):
        scope = self
        # Nobody nests deeper to be understood, and every name would be looked for in all of it.
        for _ in range(32):
            if name in scope.names and (scope is self or not scope.is_class):
                return scope.names[name]
            if scope.outer is None:
                return None
            scope = scope.outer
        return self.module.names.get(name)

    def bind(self, name, fact, is_new):
        if name in self.elsewhere:
            return self.module.bind(name, fact, is_new)
        known = self.names.get(name, NOTHING)
        times = self.times[name] = self.times.get(name, 0) + is_new
        text = fact[1] if times <= 1 or fact[1] == known[1] else None
        self.names[name] = (known[0] or fact[0], text, known[2] | fact[2])


class Look:
    """A look at one text."""

    def __init__(self, source, active, line=None):
        self.tree = ast.parse(source)
        # What is found in a text that a program executes is found where it executes it.
        self.active, self.line = active, line
        self.found, self.executed = set(), []
        self.texts = [(rule, re.compile(pattern)) for rule, pattern in TEXTS if rule in active]
        self.has_text_rules = bool(self.texts) or "metadata-address" in active
        # Facts and the like are by the identity of the node; the tree keeps all of them.
        self.facts, self.order, self.scopes, self.loops = {}, [], {}, {}
        self.silent, self.inner, self.assigned = set(), set(), set()
        self.stars, self.redirects, self.has_shell, self.is_first = [], [], False, True
        self.arrange()
        for self.is_first in (True, False):
            # The first round tells the second what names mean that are used before the place in the text where they are made.
            for handler, node, scope, loop in self.order:
                handler(self, node, scope, loop)
        self.judge()

    def arrange(self):
        """Puts the nodes in an order in which parts come before the whole, and otherwise what is first in the text comes first."""
        module = Scope(self.tree, None, None)
        self.scopes[id(self.tree)] = module
        compared, values = set(), {}
        waiting = [(self.tree, module, None)]
        while waiting:
            node, scope, loop = waiting.pop()
            kind, skipped = type(node), ""
            handler = HANDLERS.get(kind)
            if handler is not None:
                self.order.append((handler, node, scope, loop))
            if kind is ast.arg or kind is ast.Expr and isinstance(node.value, ast.Constant):
                continue
            if kind is ast.Compare:
                # What is only compared with is not used.
                for one in (node.left, *node.comparators):
                    self.silent.update(map(id, elements(one)))
                    if isinstance(one, ast.Name):
                        compared.add(one.id)
            elif kind is ast.Call and isinstance(node.func, ast.Attribute) and node.func.attr in ("startswith", "endswith"):
                self.silent.update(id(part) for one in node.args for part in elements(one))
            elif kind is ast.BinOp:
                self.inner.add(id(node.left))
            elif kind in (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.NamedExpr):
                skipped = "annotation"
                for target in node.targets if kind is ast.Assign else (node.target,):
                    self.assigned.update(map(id, elements(target)))
                    if isinstance(target, ast.Name) and node.value is not None:
                        values.setdefault(target.id, []).append(node.value)
            elif kind in (ast.For, ast.AsyncFor, ast.While):
                loop = node if loop is None or is_endless(node) or not is_endless(loop) else loop
            elif kind in SCOPES:
                skipped = "returns"
                for one in getattr(node, "decorator_list", ()):
                    waiting.append((one, scope, loop))
                scope = self.scopes[id(node)] = Scope(node, scope, module)
                if kind in FUNCTIONS:
                    loop = None
                    arguments = node.args
                    for one in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg):
                        if one is not None:
                            scope.parameters.add(one.arg)
                            scope.names[one.arg] = NOTHING
            for name, value in vars(node).items():
                if isinstance(value, list):
                    if name != "decorator_list":
                        waiting.extend([(one, scope, loop) for one in value if isinstance(one, ast.AST)])
                elif isinstance(value, ast.AST) and value._fields and name != skipped:
                    waiting.append((value, scope, loop))
        self.order.reverse()
        for name in compared & values.keys():
            for value in values[name]:
                if not isinstance(value, ast.Constant):
                    self.silent.update(map(id, elements(value)))

    def report(self, rule, node):
        if not self.is_first and rule in self.active:
            self.found.add((rule, self.line or node.lineno))

    def fact(self, node):
        return self.facts.get(id(node), NOTHING)

    def origin(self, nodes):
        found = 0
        for node in nodes:
            found |= self.fact(node)[2]
        return found

    def learn(self, node, name=None, text=None, origin=0):
        if name is not None and len(name) > 100:
            name = None
        if name is not None or text is not None or origin:
            self.facts[id(node)] = (name, text, origin)

    def called(self, node, name):
        """The name of an expression as the tables have it; some are reported for the name alone."""
        name = plain(name)
        if is_spawning(name):
            self.report("process-spawn", node)
        elif name in NATIVE:
            self.report("native-code", node)
        return name

    def read(self, node, text):
        """Applies the rules for texts."""
        if self.is_first or not self.has_text_rules or id(node) in self.silent:
            return
        text = text.decode("latin-1") if isinstance(text, bytes) else text
        for rule, pattern in self.texts:
            if pattern.search(text):
                self.report(rule, node)
        if "metadata-address" in self.active and has_metadata_address(text):
            self.report("metadata-address", node)

    def constant(self, node, scope, loop):
        if isinstance(node.value, (str, bytes)):
            self.learn(node, text=node.value)
            self.read(node, node.value)
        elif type(node.value) is int and node.value == 0xA9FEA9FE and id(node) not in self.silent:
            self.report("metadata-address", node)

    def name(self, node, scope, loop):
        if not isinstance(node.ctx, ast.Load):
            if id(node) not in self.assigned:
                scope.bind(node.id, NOTHING, self.is_first)
            return
        known = scope.find(node.id)
        if known is None:
            names = [f"{module}.{node.id}" for module in self.stars if is_known(f"{module}.{node.id}")]
            known = (names[0] if names else node.id if node.id in BUILTINS else None, None, 0)
        self.learn(node, known[0] and self.called(node, known[0]), known[1], known[2])

    def attribute(self, node, scope, loop):
        if isinstance(node.ctx, ast.Load):
            self.member(node, node.value, node.attr, scope)

    def member(self, node, value, attribute, scope):
        """What is found by name in something else, whichever way."""
        name, _, origin = self.fact(value)
        if isinstance(value, ast.Name) and value.id in ("self", "cls") and scope.owner is not None:
            known = scope.owner.names.get(f"self.{attribute}", NOTHING)
            return self.learn(node, known[0] and self.called(node, known[0]), known[1], known[2])
        if attribute == "__subclasses__":
            is_far = name in ("object", "type") or ancestor(value) in ("__base__", "__bases__", "__mro__", "__class__", "mro")
        elif attribute == "__globals__":
            is_far = isinstance(value, ast.Attribute) and value.attr.startswith("__")
        elif attribute == "f_back":
            is_far = isinstance(value, ast.Attribute) and value.attr in FRAME_OWNERS
        else:
            is_far = attribute in ("__builtins__", "f_builtins")
        if is_far:
            self.report("sandbox-escape-shape", node)
        if origin & SOCKET:
            origin = RECEIVED if attribute in RECEIVING else SOCKET if attribute in ("fileno", "accept", "detach") else 0
        if attribute == "__builtins__":
            name = attribute
        elif name is not None:
            name = None if name.startswith("~") else self.called(node, f"{name}.{attribute}")
        self.learn(node, name, None, origin)

    def subscript(self, node, scope, loop):
        name, text, origin = self.fact(node.value)
        if not isinstance(node.ctx, ast.Load):
            return
        if isinstance(node.slice, ast.Slice):
            step = node.slice.step
            if text is not None and isinstance(step, ast.UnaryOp) and isinstance(step.operand, ast.Constant) and step.operand.value == 1:
                # It is written backwards.
                origin |= DECODED
            return self.learn(node, None, None, origin)
        key = self.fact(node.slice)[1]
        found = None
        if isinstance(key, str):
            is_inside = isinstance(node.value, ast.Attribute) and node.value.attr == "__globals__"
            if key == "__builtins__" or is_inside and key in ("os", "sys", "subprocess", "__import__"):
                self.report("sandbox-escape-shape", node)
                found = key
            elif name == "sys.modules":
                found = key
            elif name in ("globals()", "locals()", "vars()"):
                known = scope.find(key)
                found = known[0] if known else key
            elif name == "__builtins__":
                found = key
            elif name is not None and name.endswith(".__dict__"):
                found = f"{name.removesuffix('.__dict__')}.{key}"
        self.learn(node, found and self.called(node, found), None, origin)

    def call(self, node, scope, loop):
        function, arguments = node.func, node.args
        name, _, inherited = self.fact(function)
        first = self.fact(arguments[0]) if arguments else NOTHING
        self.watch(node, name, scope, loop)
        if name is not None and name.startswith("~"):
            # A function of the program's own, and what it returns.
            if name == "~runs" and self.origin(arguments) & DECODED:
                self.report("exec-of-decoded-text", node)
            return self.learn(node, origin=0 if name == "~runs" else int(name[1:]))
        if isinstance(function, ast.Attribute):
            last = function.attr
        elif name is not None:
            last = name.rpartition(".")[2]
        else:
            last = function.id if isinstance(function, ast.Name) and scope.find(function.id) is None else ""
        if name == "getattr" and len(arguments) > 1:
            attribute = self.fact(arguments[1])[1]
            return self.member(node, arguments[0], attribute, scope) if isinstance(attribute, str) else None
        if name in ("__import__", "importlib.import_module", "importlib.__import__"):
            if isinstance(first[1], str):
                # The function itself returns the outermost module.
                is_outermost = name == "__import__" and len(arguments) == 1 and not node.keywords
                self.learn(node, plain(first[1].partition(".")[0] if is_outermost else first[1]))
            return
        if name == "vars" and first[0] is not None:
            return self.learn(node, f"{first[0]}.__dict__")
        given = {keyword.arg: keyword.value for keyword in node.keywords}
        if name in ("map", "filter", "functools.partial") and first[0] is not None:
            self.run(node, first[0], arguments[1:], scope)
        elif name is not None:
            self.run(node, name, arguments or [given[key] for key in ("args", "cmd") if key in given], scope)
        if isinstance(given.get("args"), DISPLAYS) and self.fact(given.get("target"))[0] is not None:
            # A thread or process of its own.
            self.run(node, self.fact(given["target"])[0], given["args"].elts, scope)
        if name == "types.CodeType" or "co_code" in given:
            self.report("sandbox-escape-shape", node)
        if name in LOADING and first[2] & (DECODED | FETCHED | RECEIVED):
            self.report("unsafe-deserialisation", node)
        if last in DECODING:
            self.measure(node, last, first[1])
        self.learn(node, *self.outcome(node, name, last, inherited))

    def outcome(self, node, name, last, inherited):
        """What is known of what a call returns."""
        arguments = node.args
        is_method = isinstance(node.func, ast.Attribute)
        first = self.fact(arguments[0]) if arguments else NOTHING
        passed = self.origin(arguments)
        called = f"{name}()" if name is not None else None
        if last in DECODING or name == "marshal.loads" and (first[1] is not None or passed & DECODED):
            return called, None, DECODED | (passed | inherited) & (FETCHED | RECEIVED)
        if name is None and last == "to_bytes" and any(self.fact(one)[1] in ("big", "little") for one in arguments):
            # A text as one number.
            return None, None, DECODED
        if name == "codecs.decode" or name is None and last == "decode":
            codec = self.fact(arguments[-1])[1] if arguments else None
            is_hidden = isinstance(codec, str) and not LEGIBLE.match(codec)
            return called, None, inherited | passed | (DECODED if is_hidden else 0)
        if name in FETCHING:
            return called, None, FETCHED
        if name in SOCKETS:
            return called, None, SOCKET
        if name == "chr":
            return called, None, DECODED if isinstance(arguments[0] if arguments else None, ast.Constant) else CHARACTER
        if name in ("map", "filter"):
            own = first[0] or ""
            if own == "chr" or own.rpartition(".")[2] in DECODING:
                passed |= DECODED
            elif own.startswith("~") and own != "~runs":
                passed |= whole(int(own[1:]))
            return called, None, passed
        if name in PASSING:
            if name in ("bytes", "bytearray") and arguments and isinstance(arguments[0], DISPLAYS) and len(arguments[0].elts) >= 16:
                # A text as a list of numbers.
                passed |= DECODED
            return called, first[1] if name in ("str", "bytes", "compile") else None, passed
        if last == "join" or last == "joinpath" or name == "pathlib.Path":
            text = self.joined(node, name, last)
            if text is not None:
                self.read(node, text)
            return called, text, (inherited | passed) & ~MIXED
        if last in ("format", "update"):
            return called, None, inherited | passed and inherited | passed | MIXED
        return called, None, inherited if is_method else 0

    def joined(self, node, name, last):
        """The text that is joined from constant parts."""
        if last == "joinpath" or name in ("os.path.join", "posixpath.join", "pathlib.Path"):
            texts = [self.fact(one)[1] for one in node.args]
            if not any(isinstance(one, str) for one in texts):
                return None
            texts = [one if isinstance(one, str) else "~" for one in texts]
            separator, texts = "/", ["~", *texts] if last == "joinpath" else texts
        else:
            separator = self.fact(node.func.value)[1] if isinstance(node.func, ast.Attribute) else None
            parts = node.args[0].elts if len(node.args) == 1 and isinstance(node.args[0], DISPLAYS) else ()
            texts = [self.fact(one)[1] for one in parts]
            if not texts or not all(isinstance(one, str) for one in (separator, *texts)):
                return None
        return separator.join(texts) if sum(map(len, texts)) + len(separator) * len(texts) <= LONG else None

    def run(self, node, name, arguments, scope):
        """Something that runs code or commands may have been called."""
        if not arguments:
            return
        _, text, origin = self.fact(arguments[0])
        if is_spawning(name):
            self.spawn(node, arguments, origin)
        elif name in CODE:
            if origin & DECODED:
                self.report("exec-of-decoded-text", node)
            elif origin & (FETCHED | RECEIVED):
                self.report("exec-of-fetched-text", node)
            elif text is not None and len(text) <= NESTED:
                if not self.is_first:
                    self.executed.append((text, self.line or node.lineno))
            elif name != "types.FunctionType":
                self.report("dynamic-code", node)
            if isinstance(arguments[0], ast.Name) and arguments[0].id in scope.parameters:
                scope.runs_parameter = True

    def spawn(self, node, arguments, origin):
        command = arguments[0]
        parts = command.elts if isinstance(command, DISPLAYS) else arguments
        words = [self.fact(one)[1] for one in parts]
        for word, part in zip(words, parts[1:]):
            if word in ("-c", "-e", "-Command", "/c"):
                origin = self.fact(part)[2]
        if not origin & MIXED:
            if origin & DECODED:
                self.report("exec-of-decoded-text", node)
            elif origin & RECEIVED:
                self.report("reverse-shell", node)
            elif origin & FETCHED:
                self.report("exec-of-fetched-text", node)
        words = [word for word in words[:20] if isinstance(word, str) and len(word) <= LONG]
        if len(words) > 1:
            self.read(node, " ".join(words))
        if any(SHELL.match(word) for word in words):
            self.has_shell = True
            if self.origin(keyword.value for keyword in node.keywords if keyword.arg in ("stdin", "stdout")) & SOCKET:
                self.report("reverse-shell", node)

    def measure(self, node, last, text):
        """A long text that nobody can read."""
        if text is None or len(text) < 512 or last == "decrypt":
            return
        sample = text[:4096] if isinstance(text, str) else text[:4096].decode("latin-1")
        if PRINTABLE.match(sample) and len(set(sample)) >= (12 if last in ("fromhex", "unhexlify", "a2b_hex", "b16decode") else 30):
            self.report("long-encoded-text", node)

    def watch(self, node, name, scope, loop):
        """Keeps in mind what means something only together with something else."""
        if name in STARTING:
            scope.starts = scope.starts or node
            if loop is not None:
                self.loops.setdefault(id(loop), (loop, node))
        own = getattr(scope.node, "name", None)
        if own is not None:
            names = [node.func, *node.args, *(keyword.value for keyword in node.keywords if keyword.arg == "target")]
            scope.repeats |= any(isinstance(one, ast.Name) and one.id == own for one in names)
        if name == "os.dup2" and node.args and self.fact(node.args[0])[2] & SOCKET:
            self.redirects.append(node)

    def statement(self, node, scope, loop):
        # Whoever forks in a loop and does not ask who it is goes on in both.
        if loop is not None and isinstance(node.value, ast.Call) and self.fact(node.value.func)[0] in ("os.fork", "os.forkpty"):
            self.report("fork-bomb", node)

    def judge(self):
        for loop, start in self.loops.values():
            if is_endless(loop) and self.only_starts(loop, None):
                self.report("fork-bomb", start)
        for scope in self.scopes.values():
            if scope.starts is not None and scope.repeats and not scope.is_class and self.only_starts(scope.node, scope.node.name):
                # With parameters, a condition may count down.
                if not scope.parameters or not any(isinstance(one, (ast.If, ast.IfExp)) for one in ast.walk(scope.node)):
                    self.report("fork-bomb", scope.starts)
        if self.redirects and self.has_shell:
            self.report("reverse-shell", self.redirects[0])

    def only_starts(self, node, own):
        """Whether nothing in a loop or function could wait, end, or find out that it should."""
        for one in ast.walk(node):
            if isinstance(one, LEAVING):
                return False
            if isinstance(one, ast.Call) and one is not getattr(node, "iter", None):
                last = ancestor(one)
                if last not in HARMLESS and last != own and self.fact(one.func)[0] not in STARTING:
                    return False
        return True

    def operation(self, node, scope, loop):
        left, right = self.fact(node.left), self.fact(node.right)
        origin, text = left[2] | right[2], None
        if isinstance(node.op, ast.Add):
            if left[1] is not None and type(left[1]) is type(right[1]) and len(left[1]) + len(right[1]) <= LONG:
                text = left[1] + right[1]
        elif isinstance(node.op, ast.Div) and isinstance(right[1], str) and len(right[1]) + len(left[1] or "") <= LONG:
            # A path.
            text = f"{left[1] if isinstance(left[1], str) else '~'}/{right[1]}"
        elif isinstance(node.op, ast.BitXor):
            origin |= CHARACTER
        if text is not None and id(node) not in self.inner:
            self.read(node, text)
        if origin & ~CHARACTER:
            origin |= MIXED
        self.learn(node, None, text, origin)

    def pieces(self, node, scope, loop):
        parts = [one.value if isinstance(one, ast.FormattedValue) else one for one in node.values]
        texts = [self.fact(one)[1] for one in parts]
        origin = self.origin(parts)
        text = "".join(one if isinstance(one, str) else "~" for one in texts)
        if len(parts) > 1:
            origin = origin and origin | MIXED
            if len(text) <= LONG:
                self.read(node, text)
        is_constant = len(text) <= LONG and all(isinstance(one, str) for one in texts)
        self.learn(node, None, text if is_constant else None, origin)

    def display(self, node, scope, loop):
        origin = self.origin(node.elts)
        self.learn(node, origin=origin and origin | MIXED)

    def comprehension(self, node, scope, loop):
        origin = whole(self.fact(node.elt)[2])
        self.learn(node, origin=origin and origin | MIXED)

    def same(self, node, scope, loop):
        if node.value is not None:
            self.learn(node, *self.fact(node.value))

    def either(self, node, scope, loop):
        options = [node.body, node.orelse] if isinstance(node, ast.IfExp) else node.values
        self.learn(node, next((name for name, _, _ in map(self.fact, options) if name), None), None, self.origin(options))

    def returned(self, node, scope, loop):
        if node.value is not None:
            scope.result |= self.fact(node.value)[2]

    def function(self, node, scope, loop):
        inner = self.scopes[id(node)]
        is_lambda = isinstance(node, ast.Lambda)
        result = self.fact(node.body)[2] if is_lambda else inner.result
        name = "~runs" if inner.runs_parameter else f"~{result}" if result else None
        if is_lambda:
            return self.learn(node, name)
        scope.bind(node.name, (name, None, 0), self.is_first)
        if scope.is_class:
            scope.bind(f"self.{node.name}", (name, None, 0), self.is_first)

    def of_class(self, node, scope, loop):
        scope.bind(node.name, NOTHING, self.is_first)

    def assign(self, node, scope, loop):
        if node.value is None:
            return
        name, text, origin = self.fact(node.value)
        if isinstance(node, ast.AugAssign):
            # Characters become a text.
            name, text, origin = None, None, whole(origin)
        for target in node.targets if isinstance(node, ast.Assign) else (node.target,):
            self.give(target, node.value, (name, text, origin), scope)
        if isinstance(node, ast.NamedExpr):
            self.learn(node, name, text, origin)

    def give(self, target, value, fact, scope):
        if isinstance(target, ast.Name):
            scope.bind(target.id, fact, self.is_first)
        elif isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and target.value.id in ("self", "cls") and scope.owner:
            scope.owner.bind(f"self.{target.attr}", fact, self.is_first)
        elif isinstance(target, (ast.Tuple, ast.List)):
            is_pairwise = isinstance(value, (ast.Tuple, ast.List)) and len(value.elts) == len(target.elts)
            for position, one in enumerate(target.elts):
                if isinstance(one, (ast.Name, ast.Attribute)):
                    self.give(one, None, self.fact(value.elts[position]) if is_pairwise else (None, None, fact[2]), scope)

    def entered(self, node, scope, loop):
        if node.optional_vars is not None:
            self.give(node.optional_vars, None, self.fact(node.context_expr), scope)

    def repeated(self, node, scope, loop):
        if isinstance(node.target, ast.Name):
            scope.bind(node.target.id, (None, None, self.fact(node.iter)[2]), self.is_first)

    def imported(self, node, scope, loop):
        for alias in node.names:
            if isinstance(node, ast.Import):
                name = alias.name if alias.asname else alias.name.partition(".")[0]
            elif alias.name == "*":
                self.stars = [*self.stars[-7:], plain(node.module or "")]
                continue
            else:
                name = plain(f"{node.module}.{alias.name}") if node.module and not node.level else None
            scope.bind(alias.asname or alias.name.partition(".")[0], (name and plain(name), None, 0), self.is_first)

    def declared(self, node, scope, loop):
        scope.elsewhere.update(node.names)


HANDLERS = {
    ast.Constant: Look.constant,
    ast.Name: Look.name,
    ast.Attribute: Look.attribute,
    ast.Subscript: Look.subscript,
    ast.Call: Look.call,
    ast.Expr: Look.statement,
    ast.BinOp: Look.operation,
    ast.JoinedStr: Look.pieces,
    ast.Tuple: Look.display,
    ast.List: Look.display,
    ast.Set: Look.display,
    ast.ListComp: Look.comprehension,
    ast.SetComp: Look.comprehension,
    ast.GeneratorExp: Look.comprehension,
    ast.Await: Look.same,
    ast.Starred: Look.same,
    ast.IfExp: Look.either,
    ast.BoolOp: Look.either,
    ast.Return: Look.returned,
    ast.FunctionDef: Look.function,
    ast.AsyncFunctionDef: Look.function,
    ast.Lambda: Look.function,
    ast.ClassDef: Look.of_class,
    ast.Assign: Look.assign,
    ast.AnnAssign: Look.assign,
    ast.AugAssign: Look.assign,
    ast.NamedExpr: Look.assign,
    ast.withitem: Look.entered,
    ast.For: Look.repeated,
    ast.AsyncFor: Look.repeated,
    ast.comprehension: Look.repeated,
    ast.Import: Look.imported,
    ast.ImportFrom: Look.imported,
    ast.Global: Look.declared,
}


def elements(node):
    """An expression, and what it holds if it is a display."""
    if isinstance(node, ast.Call) and len(node.args) == 1 and isinstance(node.args[0], DISPLAYS):
        node = node.args[0]
    return [node, *node.elts] if isinstance(node, DISPLAYS) else [node]


def ancestor(node):
    """The last name of what is called or indexed."""
    while isinstance(node, (ast.Subscript, ast.Call)):
        node = node.value if isinstance(node, ast.Subscript) else node.func
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else None


def plain(name):
    """The name by which the tables know what has several."""
    name = name.removeprefix("builtins.").removeprefix("__builtins__.").removesuffix(".__call__")
    for module in ("posix.", "nt."):
        if name.startswith(module):
            name = f"os.{name.removeprefix(module)}"
    return name


def whole(origin):
    """Where a text comes from that is made of such characters."""
    return origin & ~CHARACTER | DECODED if origin & CHARACTER else origin


def is_spawning(name):
    return name in SPAWNING or name.startswith(FAMILIES)


def is_known(name):
    return is_spawning(name) or name in NATIVE or name in FETCHING or name in SOCKETS or name.startswith("threading.")


def is_endless(loop):
    if not isinstance(loop, ast.While):
        return isinstance(loop.iter, ast.Call) and ancestor(loop.iter) in ("count", "cycle", "repeat")
    test, wanted = loop.test, True
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        test, wanted = test.operand, False
    return isinstance(test, ast.Constant) and bool(test.value) is wanted


def has_metadata_address(text):
    """Whether a text has such an address where an address is used, however it is written."""
    alone = ALONE.match(text)
    if WITH_PATH.search(text) or alone and is_metadata_host(alone[1]):
        return True
    return any(is_metadata_host(re.sub(r":\d*$", "", authority.rpartition("@")[2])) for authority in AUTHORITY.findall(text))


def is_metadata_host(host):
    host = host.strip("[]").rstrip(".").lower()
    if host in HOSTS:
        return True
    # As systems have always read them: any part as a decimal, octal or hexadecimal number, the last for all that is missing.
    parts = host.split(".")
    if len(parts) > 4 or not all(NUMBER.match(part) for part in parts):
        return False
    numbers = [int(part, 16 if part.startswith("0x") else 8 if OCTAL.match(part) else 10) for part in parts]
    return sum((number << 8 * (3 - position) for position, number in enumerate(numbers[:-1])), numbers[-1]) in ADDRESSES


def look(source):
    """Every finding in a program as its rule and line."""
    # Each warning of the parser would be written, and a program may be nothing else.
    warnings.simplefilter("ignore")
    active = {rule for rule, words in WORDS.items() if any(word.encode() in source for word in words)}
    found, seen = set(), set()
    if not active:
        return found
    if "disguised-text" in active:
        found.update(("disguised-text", number) for number, line in enumerate(source.split(b"\n", 2)[:2], 1) if HIDING.match(line))
    waiting = [Look(source, active)]
    while waiting:
        one = waiting.pop()
        found |= one.found
        for text, line in one.executed:
            if text in seen or len(seen) == MOST_NESTED:
                continue
            seen.add(text)
            try:
                # The compiler gives up on what would overflow the parser's stack.
                compile(text.strip(), "text", "exec", dont_inherit=True)
                waiting.append(Look(text.strip(), active, line))
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                pass
    return found


def told(found):
    """As many findings as are told: first of each rule one, so that none can be hidden behind many of another."""
    ranks, ordered = {}, []
    # A private key is a credential; that is said once.
    found = {(rule, line) for rule, line in found if rule != "credential-path" or ("private-key-path", line) not in found}
    for rule, line in sorted(found, key=lambda finding: finding[1]):
        rank = ranks[rule] = ranks.get(rule, 0) + 1
        ordered.append((rank, line, rule))
    return sorted(([rule, line] for _, line, rule in sorted(ordered)[:MOST]), key=lambda finding: (finding[1], finding[0]))


def main():
    """Inspects the text on standard input, and prints what was found."""
    try:
        findings = told(look(sys.stdin.buffer.read()))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        # The run itself says what is wrong.
        findings = []
    print(json.dumps(findings))
