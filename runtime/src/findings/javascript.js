// What in a JavaScript or TypeScript program should somebody know of before it runs?
//
// Runs in the sandbox; the program is on standard input. It prints pairs of a rule and a line. They are a signal: a program that wants to hide
// from this can, and one that is found is held no better and no worse than any other. So rules rather miss something than accuse an ordinary
// program, and comments say nothing.
//
// There is no tree here, only tokens: they are the same in both languages, and a parser that runs in this engine takes ten times as long. One
// pass over them keeps a frame for each bracket that is open, and in it what is known of the expression so far; a closing bracket makes a value
// of its frame.

import { readFileSync } from 'node:fs';

// How many findings are told.
const MOST = 100;

// Characters of a text that is put together from parts; a longer one is not followed, as each step would copy it again.
const LONG = 1024;

// How many texts that a program executes are looked at as programs.
const NESTED = 100;

const list = (text) => text.split(' ');
const STARTERS = list('child_ _process execa shelljs cross-spawn node-pty Deno Bun \\x6 \\x7');
// Not `eval` alone: much is evaluated.
const RUNNERS = [
  ...list(`eval( eval) eval, eval. eval? eval; =eval eval' eval" Function( =Function execScript globalThis runIn compileFunction vm.Script node:vm`),
  ...list(`'vm' "vm" _compile data:text/javascript data:application/javascript`),
  ...['eval (', '= eval', 'Function (', '= Function'],
];

// A rule only applies to a program that has one of its words. The host looks for them first (`words.txt`) and mostly need not parse at all.
const WORDS = {
  'process-spawn': STARTERS,
  'exec-of-decoded-text': [...RUNNERS, ...STARTERS],
  'exec-of-fetched-text': [...RUNNERS, ...STARTERS],
  'dynamic-code': RUNNERS,
  'unsafe-deserialisation': list('unserialize deserialize'),
  'native-code': list('dlopen .binding _linkedBinding .node ffi-napi ref-napi koffi bun:ffi'),
  'sandbox-escape-shape': list(`constructor.constructor constructor' constructor" mainModule`),
  'fork-bomb': list('child_ _process worker_threads :(){').concat(':() {'),
  'reverse-shell': list('child_ _process /dev/tcp/ /dev/udp/').concat('sh -i', '-e /', '-c /', '-e bash', '-e cmd'),
  'long-encoded-text': list(`atob base64 'hex' "hex"`),
  'disguised-text': list('_0x (![]+[]) \\u00 \\u{6 \\u{7'),
  'metadata-address': list(
    '169.254 254.169 100.100.100 168.63.129 192.0.0.192 169.16689 2852039 0xA9 0xa9 0XA9 0251 025177 a9fe A9FE fd00:ec2 FD00:EC2 fd20:ce ' +
      'metadata.goog metadata.tencentyun instance-data',
  ),
  'crypto-miner': list(
    'stratum xmrig XMRig xmr-stak minerd coinhive CoinHive coin-hive cryptonight CryptoNight cryptoNight Cryptonight mining.subscribe ' +
      'mining.authorize donate-level supportxmr minexmr moneroocean xmrpool nanopool 2miners f2pool ethermine hashvault c3pool minergate ' +
      'unmineable herominers crypto-pool nicehash',
  ),
  'private-key-path': list('.ssh /etc/shadow /etc/gshadow .gnupg ssh_host_'),
  'credential-path': list(
    '.ssh .aws netrc .docker docker.sock .kube /environ .npmrc .pypirc .git-credentials gcloud default_credentials .azure gh/hosts .cargo ' +
      '.pgpass .my.cnf .vault-token run/secrets .gnupg /etc/shadow /etc/gshadow wallet.dat /Cookies \\Cookies cookies.sqlite logins.json ' +
      'key4.db .mozilla google-chrome/ bash_history zsh_history python_history mysql_history psql_history',
  ).concat('Login Data'),
  'account-file': ['/etc/passwd'],
};

const POOLS =
  'supportxmr\\.com|minexmr\\.com|moneroocean\\.stream|xmrpool\\.eu|nanopool\\.org|2miners\\.com|f2pool\\.com|ethermine\\.org|hashvault\\.pro|' +
  'c3pool\\.(?:com|org)|minergate\\.com|unmineable\\.com|herominers\\.com|crypto-pool\\.fr|nicehash\\.com';
const READING = '\\b(?:cat|cp|scp|curl|tar|base64|head|tail|less)\\s[^|;&\\n]{0,200}';

// Rules for texts; what could be repeated without end is followed by nothing that could send the search back.
const TEXTS = [
  ['crypto-miner', /\bstratum[12]?\+(?:tcp|ssl|tls|udp)s?:\/\/|(?<![\w.-])(?:xmrig|XMRig|minerd|xmr-stak)(?![\w-])|--donate-level/],
  ['crypto-miner', /\bcoinhive(?:\.min)?\.js|\bcoin-?hive\.com|\bCoinHive\.|\b[Cc]rypto[Nn]ight\b|\bmining\.(?:subscribe|authorize)\b/],
  ['crypto-miner', new RegExp(`(?<![\\w.\\-/@])(?:[\\w-]{1,63}\\.){0,4}(?:${POOLS})(?::\\d+)?(?![\\w./-])`)],
  ['fork-bomb', /:\s*\(\)\s*\{\s*:\s*\|\s*:\s*&\s*\}\s*;\s*:/],
  ['reverse-shell', /\/dev\/(?:tcp|udp)\/[\w.${~%-]|\/(?:ba|da|z|k)?sh\s+-i\b|\b(?:ba|da|z|k)?sh\s+-i\s{0,4}(?:[<>|]|\d>)/],
  ['reverse-shell', /\bn(?:c|cat|etcat)\b.{0,80}\s-[ec]\s{0,4}(?:\S{0,40}\/(?:ba|da|z|k)?sh|bash|cmd\.exe)\b/],
  ['private-key-path', /^(?:\S*[/\\])?\.ssh[/\\]+id_(?:rsa|dsa|ecdsa|ed25519)(?:_sk)?$|^\S*\/etc\/g?shadow-?$|^\S*\/etc\/ssh\/ssh_host_\w+_key$/],
  ['private-key-path', /\/\.gnupg\/(?:private-keys|secring)/],
  ['private-key-path', new RegExp(`${READING}(?:\\.ssh/id_(?:rsa|dsa|ecdsa|ed25519)\\b(?!\\.pub)|/etc/g?shadow\\b)`)],
  ['credential-path', /(?:^|[/\\])\.(?:ssh(?:[/\\](?!\S*\.pub\b|known_hosts)|$)|gnupg\b|aws[/\\]+(?:credentials|config)\b|kube[/\\]+config\b)/],
  ['credential-path', /(?:^|[/\\])(?:[._]netrc|\.(?:npmrc|pypirc|git-credentials|pgpass|my\.cnf|vault-token|(?:ba|z)sh_history))\b/],
  ['credential-path', /(?:^|[/\\])\.(?:(?:python|mysql|psql)_history\b|docker[/\\]+config\.json|config[/\\]+gcloud|azure[/\\])/],
  ['credential-path', /\/proc\/[\w~-]+\/environ\b|\/etc\/g?shadow\b|\bdocker\.sock\b|\bapplication_default_credentials|\/run\/secrets\//],
  ['credential-path', /\bwallet\.dat\b|[/\\]Cookies$|\bcookies\.sqlite|[/\\]Login Data\b|\blogins\.json|\bkey4\.db|\.mozilla[/\\]+firefox/],
  ['credential-path', /\bgoogle-chrome\/(?:Default|Profile)|\bgh[/\\]+hosts\.yml|(?:^|[/\\])\.cargo[/\\]+credentials/],
  ['account-file', new RegExp(`^\\S*/etc/passwd\\b|${READING}/etc/passwd\\b`)],
];

// Where clouds tell a machine its credentials: 169.254.169.254, .170.2, .170.23, .0.23, 100.100.100.200, 168.63.129.16, 192.0.0.192.
const ADDRESSES = new Set([0xa9fea9fe, 0xa9feaa02, 0xa9feaa17, 0xa9fe0017, 0x646464c8, 0xa83f8110, 0xc00000c0]);
const HOSTS = new Set(list(
  'metadata.google.internal metadata.goog metadata.tencentyun.com instance-data instance-data.ec2.internal fd00:ec2::254 fd00:ec2::23 ' +
    'fd20:ce::254 ::ffff:169.254.169.254 ::ffff:a9fe:a9fe',
));
const AUTHORITY = /:\/\/([^\s/?#'"<>\\]{1,300})/g;
const ALONE = /^(\[[\w.:]{2,60}\]|[\w.-]{7,60}|[\da-f:]{7,60})(?::\d{1,5})?(?:\/\S*)?$/;
const WITH_PATH = /(?<![\w.])169\.254\.169\.254\/(?:latest|computeMetadata|metadata|opc|openstack)\b/;
const PRINTABLE = /^[!-~\s]+$/;
const SHELL = /^(?:(?:\S*\/)?(?:ba|da|z|k|c)?sh|(?:\S*[/\\])?(?:cmd|powershell|pwsh)(?:\.exe)?)(?:\s|$)/i;

const CODE = new Set(list('eval Function execScript vm.runInThisContext vm.runInNewContext vm.runInContext vm.compileFunction vm.Script'));
const SPAWNING = new Set([
  ...list('exec execSync execFile execFileSync spawn spawnSync fork').map((name) => `child_process.${name}`),
  ...list('Deno.run Deno.Command Bun.spawn Bun.spawnSync shelljs.exec cross-spawn cross-spawn.sync node-pty.spawn execa execa.execa execa.execaSync'),
  ...list('execa.execaCommand execa.execaNode execa.$'),
]);
const STARTING = new Set(list('child_process.fork child_process.spawn child_process.exec child_process.execFile worker_threads.Worker'));
const HARMLESS = new Set(list('fork spawn exec execFile Worker push log unref require setImmediate nextTick'));
const NATIVE = new Set(list('process.dlopen process.binding process._linkedBinding Deno.dlopen'));
const NATIVE_MODULES = /\.node$|^(?:ffi-napi|ref-napi|koffi|bun:ffi)$/;
const DECODING = list('inflateSync inflateRawSync gunzipSync unzipSync brotliDecompressSync zstdDecompressSync decompressFromBase64 decrypt');
const FETCHING = new Set(list('fetch axios axios.get axios.post axios.request node-fetch got got.get superagent.get undici.request undici.fetch'));
const SOCKETS = new Set(list('net.connect net.createConnection net.Socket net.createServer tls.connect'));
const ON_SOCKETS = new Set(list('on once pipe connect write setEncoding unref end'));
// These hand on what they are given or called on.
const PASSING = new Set(list('String Buffer Buffer.from Uint8Array.from JSON.stringify'));
const PASSING_METHODS = new Set(list(
  'decode toString join slice concat replace replaceAll trim split map filter reduce text json then catch update final substring substr from ' +
    'blob arrayBuffer valueOf normalize at pop shift',
));
// Calls of anything else that has no name here are of no interest.
const METHODS = new Set([...PASSING_METHODS, ...DECODING, ...list('constructor _compile reverse resolve pipe createDecipheriv')]);
const REQUIRING = new Set(list('require import module.require process.mainModule.require process.getBuiltinModule require.main.require module._load').concat(
  'process.mainModule.constructor._load', 'module.constructor._load',
));
// What names of interest begin with.
const ROOTS = new Set(
  [...CODE, ...SPAWNING, ...STARTING, ...NATIVE, ...FETCHING, ...SOCKETS, ...REQUIRING, ...list('atob Buffer String global globalThis')].map(
    (name) => name.split('.', 1)[0],
  ),
);
// The words that a function without interest has none of.
const TELLING = list(
  'eval Function execScript require vm Script _compile atob unescape decodeURIComponent Buffer fromCharCode fromCodePoint createDecipheriv fetch ' +
    'axios dlopen binding _linkedBinding mainModule getBuiltinModule Deno Bun Reflect globalThis global CoinHive unserialize deserialize ' +
    'child_process _load',
).concat(DECODING, list('AsyncFunction GeneratorFunction AsyncGeneratorFunction'));
const COMPARING = new Set(list('includes has indexOf startsWith endsWith test match some'));
const LEAVING = new Set(list('break return throw yield'));
const CONDITIONS = new Set(list('if ? && ||'));

// Where a value comes from, as bits. What is only partly from there is MIXED; CHARACTER is one that many of would be a decoded text; PACKED is
// the result of a function on the spot that decodes something.
const [DECODED, FETCHED, RECEIVED, SOCKET, CHARACTER, MIXED, PACKED] = [1, 2, 4, 8, 16, 32, 64];
const ORIGIN = DECODED | FETCHED | RECEIVED;

// What is known of a value: what it is (`child_process.exec`), its text where that is constant, where it comes from, the scope of the function that
// it is, the elements that it has.
class Fact {
  constructor(name, text, origin, scope, elements) {
    this.name = name;
    this.text = text;
    this.origin = origin;
    this.scope = scope;
    this.elements = elements;
  }
}
const NOTHING = new Fact(undefined, undefined, 0);
const THIS = new Fact(undefined, undefined, 0);
const CHARACTERS = new Fact(undefined, undefined, 0);
const named = (name) => new Fact(name, undefined, 0);
const from = (origin, text) => (origin === 0 && text === undefined ? NOTHING : new Fact(undefined, text, origin));

const MAKERS = new Set(list('AsyncFunction GeneratorFunction AsyncGeneratorFunction'));
const GLOBALS = new Map(
  list(
    'eval Function execScript require module process globalThis window self global top atob unescape decodeURIComponent String Buffer Uint8Array ' +
      'JSON fetch Deno Bun Reflect axios CoinHive',
  ).map((name) => [name, named(name)]),
);
for (const name of MAKERS) GLOBALS.set(name, GLOBALS.get('Function'));

// Whether a text has something that any of the rules for texts is about. The engine tries one alternative after the other, at every character; so
// first comes what few characters pass.
const TEXT_WORD = (() => {
  const quoted = (text) => text.replace(/[^\w\s]/g, '\\$&');
  const words = new Set(['constructor', ...['metadata-address', ...TEXTS.map(([rule]) => rule)].flatMap((rule) => WORDS[rule])]);
  const firsts = new Map();
  for (const word of words) firsts.set(word[0], [...(firsts.get(word[0]) ?? []), quoted(word.slice(1))]);
  // No word is shorter than three characters.
  const few = [0, 1, 2].map((position) => `[${quoted([...new Set([...words].map((word) => word[position]))].join(''))}]`).join('');
  const all = [...firsts].map(([first, rests]) => `${quoted(first)}(?:${rests.join('|')})`);
  return new RegExp(`\\\\[xu]|(?=${few})(?:${all.join('|')})`);
})();

const PLAIN_TYPE = new Set(list('name . < > | , void null string'));
const AFTER_TYPE = new Set(list('= ; , eof } )'));

// Words that are no names, unless a dot comes before them.
const KEYWORDS = new Set(list(
  'break case catch class const continue debugger default delete do else export extends finally for function if import in instanceof let new null ' +
    'return super switch this throw true false try typeof var void while with yield',
));
const VALUES = new Set(list('this super null true false'));
// After these a brace begins no object.
const BEFORE_BLOCK = new Set(['', ';', '{', '}', '=>', 'else', 'do', 'try', 'finally']);
// After these a slash begins a regular expression.
const BEFORE_VALUE = new Set(list('case delete do else in instanceof new return throw typeof void yield'));
// By their character codes.
const SINGLES = [];
for (const kind of list('( ) [ ] { } ; , : ~ @ #')) SINGLES[kind.charCodeAt(0)] = kind;
const WORD = /[\w$\x80-\x9f\xa1-\u167f\u1681-\u1fff\u200b-\u2027\u202a-\u202e\u2030-\u205e\u2060-\u2fff\u3001-\ufefe\uff00-\uffff]+/y;
const ESCAPED_WORD = /(?:[\w$\x80-\uffff]|\\u(?:[\da-fA-F]{4}|\{[\da-fA-F]{1,6}\}))+/y;
const NUMBER = /0[xXoObB][\da-fA-F_]+n?|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?[\d_]+)?n?/y;
const SINGLE_QUOTED = /'[^'\\\n\r]*(?:\\(?:\r\n|[^])[^'\\\n\r]*)*'/y;
const DOUBLE_QUOTED = /"[^"\\\n\r]*(?:\\(?:\r\n|[^])[^"\\\n\r]*)*"/y;
const TEMPLATE = /[^`\\$]*(?:(?:\\[^]|\$(?!\{))[^`\\$]*)*/y;
const REGULAR = /\/(?![*/])[^\\/[\n\r]*(?:(?:\\[^\n\r]|\[[^\]\\\n\r]*(?:\\[^\n\r][^\]\\\n\r]*)*\])[^\\/[\n\r]*)*\/[\w$]*/y;
const OPERATOR = /\.\.\.|=>|[=!]==?|\?\.(?!\d)|(?:\*\*|<<|>>>?|&&|\|\||\?\?|[-+*/%&|^])=|\+\+|--|&&|\|\||\?\?|\*\*|<<|>>>?|<=|>=|[-+*/%=<>!&|^?.]/y;
const COMPARISON = /^[=!]==?$/;
const ASSIGNMENT = /^[^=!<>].*=$|^(?:<<|>>)>?=$/;

// The kinds of all tokens, their texts where those differ, their lines, and which of them are names to be looked at more closely.
const tokens = (text) => {
  const kinds = [], words = [], lines = [], odd = [];
  // For each open bracket whether a slash after its end begins a regular expression.
  const open = [];
  let at = 0, line = 1, before = '', isAfterValue = false, failures = 0;
  const put = (kind, word) => {
    kinds.push(kind);
    words.push(word);
    lines.push(line);
    before = kind;
  };
  let lineEnd = -1;
  const nextLine = () => {
    lineEnd = text.indexOf('\n', lineEnd + 1);
    if (lineEnd < 0) lineEnd = text.length;
  };
  nextLine();
  const skip = (to) => {
    for (at = to; lineEnd < at; nextLine()) line++;
  };
  const match = (pattern) => {
    pattern.lastIndex = at;
    return pattern.exec(text)?.[0];
  };
  const template = () => {
    const word = match(TEMPLATE);
    put('template', word);
    skip(at + word.length);
    if (text[at] === '`') {
      put('`');
      at++;
      isAfterValue = true;
    } else if (at < text.length) {
      put('${');
      open.push('`');
      at += 2;
      isAfterValue = false;
    }
  };
  if (text.startsWith('#!')) at = lineEnd;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === 32 || code === 9 || code === 13) {
      at++;
      continue;
    }
    if (code === 10) {
      skip(at + 1);
      continue;
    }
    if (code === 47) {
      const next = text.charCodeAt(at + 1);
      if (next === 47) {
        at = lineEnd;
        continue;
      }
      if (next === 42) {
        const end = text.indexOf('*/', at + 2);
        skip(end < 0 ? text.length : end + 2);
        continue;
      }
      // Whoever writes many that have no end would have each of them looked for to the end of its line.
      const word = isAfterValue || failures > 20 ? undefined : match(REGULAR);
      failures += word === undefined && !isAfterValue;
      if (word !== undefined) {
        put('regexp', word);
        at += word.length;
        isAfterValue = true;
        continue;
      }
    }
    if (code === 34 || code === 39) {
      const word = match(code === 34 ? DOUBLE_QUOTED : SINGLE_QUOTED);
      // One that has no end is none.
      if (word !== undefined) put('string', word);
      skip(at + (word?.length ?? 1));
      isAfterValue = true;
      continue;
    }
    const single = SINGLES[code];
    if (single !== undefined) {
      at++;
      if (single === '(') open.push(before === 'if' || before === 'while' || before === 'for' || before === 'with' ? 'condition' : single);
      else if (single === '[') open.push(single);
      else if (single === '{') open.push(isAfterValue || BEFORE_BLOCK.has(before) ? 'block' : single);
      // A keyword may be a key.
      else if (single === ':' && KEYWORDS.has(before) && !VALUES.has(before) && before !== 'default') kinds[kinds.length - 1] = 'name';
      put(single);
      isAfterValue = false;
      if (single === ')' || single === ']' || single === '}') {
        const opened = open.pop();
        if (opened === '`') template();
        else isAfterValue = opened !== 'condition' && opened !== 'block';
      }
      continue;
    }
    if (code === 96) {
      put('`');
      at++;
      template();
      continue;
    }
    if ((code >= 48 && code <= 57) || (code === 46 && /\d/.test(text[at + 1] ?? ''))) {
      const word = match(NUMBER);
      put('num', word);
      at += word.length;
      isAfterValue = true;
      continue;
    }
    let word = match(WORD);
    const isEscaped = code === 92 || (word !== undefined && text.charCodeAt(at + word.length) === 92);
    if (isEscaped) word = match(ESCAPED_WORD);
    if (word !== undefined) {
      if (isEscaped || (code === 95 && text.charCodeAt(at + 1) === 48)) odd.push(kinds.length);
      const kind = KEYWORDS.has(word) && before !== '.' && before !== '?.' ? word : 'name';
      put(kind, word);
      at += word.length;
      isAfterValue = !BEFORE_VALUE.has(kind);
      continue;
    }
    word = match(OPERATOR);
    if (word === undefined) {
      // Some other space, or nothing that belongs into a program.
      at++;
      continue;
    }
    if (word === '++' || word === '--') put('++/--', word);
    else {
      put(COMPARISON.test(word) ? '==/!=' : ASSIGNMENT.test(word) && word !== '=' ? '_=' : word, word);
      isAfterValue = false;
    }
    at += word.length;
  }
  put('eof');
  return { kinds, words, lines, odd };
};

// The names of a function, a class or a module, and what is known of all values that each of them ever has.
class Scope {
  constructor(outer, isClass, name) {
    this.outer = outer;
    this.name = name;
    this.names = new Map();
    // The function that this belongs to, and the class that `this` is of.
    this.whole = isClass ? outer.whole : this;
    this.owner = isClass ? this : outer?.owner;
    this.module = outer === undefined ? this : outer.module;
    this.parameters = undefined;
    this.result = 0;
    this.seen = 0;
    this.runsParameter = false;
    // Whether the parameters come from somewhere.
    this.isGiven = false;
    this.starts = -1;
  }
  holder(name) {
    let scope = this;
    // Nobody nests deeper to be understood, and every name would be looked for in all of it.
    for (let depth = 0; scope !== undefined && depth < 40; depth++, scope = scope.outer) if (scope.names.has(name)) return scope;
    return this.module.names.has(name) ? this.module : undefined;
  }
  bind(name, fact, isNew) {
    const entry = this.names.get(name);
    if (entry === undefined) {
      this.names.set(name, { fact: fact.origin & PACKED ? from(fact.origin & ~PACKED) : fact, times: 1 });
      return;
    }
    if (isNew) entry.times++;
    const old = entry.fact;
    if (old === fact) return;
    const text = entry.times <= 1 || old.text === fact.text ? fact.text : undefined;
    entry.fact = new Fact(old.name ?? fact.name, text, (old.origin | fact.origin) & ~PACKED, old.scope ?? fact.scope, fact.elements);
  }
}

// An open bracket, the value that is being made, and what the statement is that it is made in.
class Frame {
  // Frames are used again: to make one is dear in this engine.
  begin(kind, at, scope, loop, isBlock) {
    this.kind = kind;
    this.at = at;
    this.scope = scope;
    this.loop = loop;
    this.isBlock = isBlock;
    // The operand that is being read, the name by which it was found last and in what.
    this.value = undefined;
    this.last = '';
    this.base = NOTHING;
    this.isHere = false;
    // The operands before it, and how many they are but the first.
    this.sum = undefined;
    this.parts = 0;
    this.operator = '';
    this.questions = 0;
    // Whether a statement begins here, and whether what belongs to a statement is as it is at its beginning.
    this.isFresh = true;
    this.isPlain = true;
    this.returns = false;
    this.declaring = '';
    this.declared = undefined;
    this.targets = undefined;
    this.pending = undefined;
    this.isDeclaration = false;
    this.classes = '';
    this.arrow = undefined;
    // What the frame has so far: arguments, elements, pieces of a template.
    this.facts = undefined;
    this.callee = NOTHING;
    this.calledLast = '';
    this.shape = undefined;
  }
}

// Whether it may make a difference to have known this earlier.
const isTelling = ({ name, origin, scope }) =>
  origin !== 0 || (scope !== undefined && (scope.result !== 0 || scope.runsParameter)) || (name !== undefined && ROOTS.has(name.split('.', 1)[0]));
const moduleOf = (name) => (name.startsWith('node:') ? name.slice(5) : name);
const plain = (name) => name.replace(/^(?:(?:globalThis|window|self|global|top|buffer|Function\(\)\(\))\.)+(?=.)/, '');
const LETTERS = { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f', v: '\v' };
const ESCAPE = /\\(?:x([\da-fA-F]{2})|u([\da-fA-F]{4})|u\{([\da-fA-F]{1,6})\}|([0-7]{1,3})|(\r\n|[^]))/g;
const unescaped = (text) => {
  if (!text.includes('\\')) return text;
  return text.replace(ESCAPE, (_, two, four, any, octal, other) => {
    if (other !== undefined) return /[\r\n]/.test(other) ? '' : LETTERS[other] ?? other;
    const code = octal === undefined ? parseInt(two ?? four ?? any, 16) : parseInt(octal, 8);
    return code > 0x10ffff ? '' : String.fromCodePoint(code);
  });
};

const isMetadataHost = (written) => {
  const host = written.replace(/^\[|\]$/g, '').replace(/\.$/, '').toLowerCase();
  if (HOSTS.has(host)) return true;
  // As systems have always read them: any part as a decimal, octal or hexadecimal number, the last for all that is missing.
  const parts = host.split('.');
  if (parts.length > 4 || !parts.every((part) => /^(?:0x[\da-f]{1,12}|\d{1,15})$/.test(part))) return false;
  const numbers = parts.map((part) => (/^0[0-7]+$/.test(part) ? parseInt(part, 8) : Number(part)));
  const last = numbers.pop();
  return ADDRESSES.has(numbers.reduce((sum, number, position) => sum + number * 2 ** (24 - 8 * position), last));
};
const hasMetadataAddress = (text) => {
  const alone = ALONE.exec(text);
  if (WITH_PATH.test(text) || (alone !== null && isMetadataHost(alone[1]))) return true;
  const hosts = [...text.matchAll(AUTHORITY)].map(([, authority]) => authority.slice(authority.lastIndexOf('@') + 1).replace(/:\d*$/, ''));
  return hosts.some(isMetadataHost);
};

// A look at one text.
class Look {
  constructor(text, line) {
    const { kinds, words, lines, odd } = tokens(text);
    this.kinds = kinds;
    this.words = words;
    this.lines = lines;
    // What is found in a text that a program executes is found where it executes it.
    this.onLine = line;
    this.found = new Map();
    for (const at of odd) this.disguise(at);
    this.scopes = new Map();
    // Names that mean something.
    this.telling = new Set(TELLING);
    this.isAll = false;
    this.arrange();
    const alone = new Map(this.found);
    // What a name means may be said after the place in the text where it is used.
    for (let round = 0, isLate = true; isLate && round < 4; round++) {
      this.isFirst = round === 0;
      this.isLate = false;
      this.found = new Map(alone);
      this.walk();
      isLate = this.isLate;
    }
    this.judge();
  }
  is(at, ...kinds) { return kinds.every((kind, offset) => this.kinds[at + offset] === kind); }
  report(rule, at) {
    const line = this.onLine ?? this.lines[at];
    this.found.set(`${rule}:${line}`, [rule, line]);
  }

  // Which bracket closes which, what is a function, and which texts are only compared with.
  arrange() {
    const { kinds, words } = this;
    this.closing = new Int32Array(kinds.length);
    // Shapes of functions by where their parameters begin, and by where their bodies do.
    this.functions = new Map();
    this.bodies = new Map();
    this.silent = new Set();
    const open = [], compared = new Set();
    for (let at = 0; at < kinds.length; at++) {
      const kind = kinds[at];
      if (kind === '(' || kind === '[' || kind === '{' || kind === '${') open.push(at);
      else if (kind === ')' || kind === ']' || kind === '}') this.closing[open.pop() ?? at] = at;
      else if (kind === '.' && kinds[at - 1] === 'name' && COMPARING.has(words[at + 1])) compared.add(words[at - 1]);
    }
    for (let at = 0; at < kinds.length; at++) {
      const kind = kinds[at];
      if (kind === '(') this.parameters(at);
      else if (kind === '!') {
        if (this.is(at - 1, '(', '!', '[', ']', '+', '[', ']', ')')) this.report('disguised-text', at);
      } else if (kind === 'num') {
        const isLong = words[at].length >= 10;
        if (isLong && Number(words[at].replaceAll('_', '')) === 0xa9fea9fe && !this.isCompared(at)) this.report('metadata-address', at);
      } else if (kind === '=>' && kinds[at - 1] === 'name') {
        if (kinds[at - 2] !== 'name' || words[at - 2] === 'async') this.declare(at - 1, at - 1, at, at + 1, 'arrow');
      } else if (kind === '=' && compared.size > 0 && compared.has(words[at - 1])) {
        const start = this.is(at + 1, 'new', 'name', '(', '[') ? at + 4 : at + 1;
        if (kinds[start] === '[' && !this.silent.has(start)) for (let inside = start; inside < this.closing[start]; inside++) this.silent.add(inside);
      }
    }
  }
  // Where a plain type after a colon ends.
  type(at) {
    const { kinds } = this;
    let next = at + 1;
    while (next < at + 40 && PLAIN_TYPE.has(kinds[next])) next++;
    return next;
  }
  // Letters of a name that are written as numbers, or names as machines make them.
  disguise(at) {
    const word = this.words[at];
    this.words[at] = unescaped(word);
    if (word !== this.words[at] ? /^[\w$]+$/.test(this.words[at]) : /^_0x[\da-f]{3,}/.test(word)) this.report('disguised-text', at);
  }
  // Where the next token is that may lead to a finding; statements without any are passed over.
  point() {
    const { kinds, words, telling } = this;
    const next = new Int32Array(kinds.length);
    let one = kinds.length - 1;
    for (let at = one; at >= 0; at--) {
      const kind = kinds[at];
      if (kind === 'name' || this.isAll) {
        if (telling.has(words[at]) || this.isAll) one = at;
        else if (words[at] === 'constructor' && words[at + 2] === 'constructor') one = at;
      } else if (kind === 'import') one = at;
      else if ((kind === 'string' || kind === 'template') && TEXT_WORD.test(words[at])) one = at;
      next[at] = one;
    }
    this.next = next;
  }
  // A name turns out to be of interest.
  tells(name, at) {
    const { kinds, words, telling, next } = this;
    if (telling.has(name)) return;
    telling.add(name);
    // Each takes a look through the whole program; with too many of them everything is of interest.
    if (telling.size > TELLING.length + 100) {
      if (!this.isAll) this.isLate = this.isAll = true;
      return;
    }
    for (let one = words.indexOf(name); one >= 0; one = words.indexOf(name, one + 1)) {
      if (one < at) this.isLate = true;
      if (kinds[one] === 'name') for (let before = one; before >= 0 && next[before] > one; before--) next[before] = one;
    }
  }
  parameters(at) {
    const { kinds } = this;
    const end = this.closing[at];
    if (end === 0) return;
    let next = end + 1;
    const after = kinds[next];
    if (after !== '{' && after !== '=>' && after !== ':') return;
    const before = kinds[at - 1];
    let start = at - 1;
    if (kinds[start] === 'name' && (kinds[start - 1] === 'function' || kinds[start - 1] === '*')) start--;
    if (kinds[start] === '*') start--;
    const isFunction = kinds[start] === 'function';
    if (after === ':') {
      // The type of what comes back; after a call, this is no function.
      next = this.type(next);
      if (next === end + 2 || (kinds[next] === '=>' ? before === 'name' && this.words[at - 1] !== 'async' : !isFunction && before !== 'name')) return;
    }
    if (kinds[next] === '=>') this.declare(at, at + 1, end, next + 1, 'arrow');
    else if (kinds[next] !== '{') return;
    else if (isFunction) this.declare(at, at + 1, end, next, 'function', kinds[at - 1] === 'name' ? this.words[at - 1] : undefined);
    else if (before === 'name' || before === 'string' || before === ']' || before === 'num') this.declare(at, at + 1, end, next, 'method');
  }
  declare(at, start, end, body, kind, name) {
    const names = [];
    for (let inside = start; inside < end && inside < start + 200 && names.length < 50; inside++) {
      if (this.kinds[inside] === 'name') names.push(this.words[inside]);
      else if (this.kinds[inside] === '(') inside = Math.max(inside, this.closing[inside]);
    }
    const shape = { at, names, kind, name };
    this.functions.set(at, shape);
    if (this.kinds[body] === '{') this.bodies.set(body, shape);
  }

  walk() {
    const { kinds } = this;
    this.point();
    this.frames = [];
    this.spare = [];
    this.frame = undefined;
    this.executed = [];
    this.loops = new Map();
    this.redirects = [];
    this.hasShell = false;
    this.open('program', -1, this.scope(-1, undefined, false), true);
    for (let at = 0; at < kinds.length - 1; at++) {
      if (this.frame.isFresh && this.next[at] > at + 8) at = this.pass(at);
      const handler = HANDLERS.get(kinds[at]);
      at = (handler === undefined ? this.operator(at) : handler.call(this, at)) ?? at;
    }
    while (this.frames.length > 1) this.close(kinds.length - 1);
    this.finish();
  }
  // Goes on to the statement in which the next token of interest is, or to the end of the block that has none.
  pass(at) {
    const { frame, kinds, closing, next } = this;
    if (!frame.isBlock || frame.scope.isGiven || frame.value !== undefined) return at;
    const end = frame.at < 0 ? kinds.length - 1 : closing[frame.at], to = next[at];
    if (end <= at) return at;
    if (to >= end) return end;
    let found = at;
    for (let inside = at; inside < to; inside++) {
      if (closing[inside] > inside) inside = closing[inside];
      else if (kinds[inside] === ';') found = inside + 1;
    }
    return Math.min(found, to);
  }
  // Scopes are kept for the second round.
  scope(at, outer, isClass, name) {
    let scope = this.scopes.get(at);
    if (scope === undefined) this.scopes.set(at, scope = new Scope(outer, isClass, name));
    return scope;
  }
  open(kind, at, scope, isBlock) {
    const { frame } = this;
    const loop = kind === 'function' || frame === undefined ? undefined : frame.pending ?? frame.loop;
    const inner = this.spare.pop() ?? new Frame();
    inner.begin(kind, at, scope, loop, isBlock === true);
    this.frame = inner;
    this.frames.push(inner);
    return inner;
  }
  pop() {
    const frame = this.frames.pop();
    this.frame = this.frames[this.frames.length - 1];
    this.spare.push(frame);
    return frame;
  }

  // An operand begins; where one has just ended, a statement has ended with it.
  begin() {
    if (this.frame.value !== undefined) this.semicolon();
  }
  operand(value, last, base) {
    const { frame } = this;
    frame.value = value;
    frame.last = last ?? '';
    frame.base = base ?? NOTHING;
    frame.isHere = false;
    frame.isFresh = false;
  }
  operator(at) {
    const { frame } = this;
    this.merge();
    frame.operator = this.kinds[at];
    frame.isFresh = frame.isPlain = false;
  }
  merge() {
    const { frame } = this;
    const { value, sum, operator } = frame;
    if (value === undefined) return;
    frame.value = undefined;
    if (sum === undefined) {
      frame.sum = value;
      return;
    }
    frame.parts++;
    if (operator === 'as' || (sum === NOTHING && value === NOTHING)) return;
    const origin = sum.origin | value.origin;
    if (operator === '+') {
      const isText = sum.text !== undefined && value.text !== undefined && sum.text.length + value.text.length <= LONG;
      frame.sum = from(origin & ~CHARACTER ? origin | MIXED : origin, isText ? sum.text + value.text : undefined);
    } else frame.sum = new Fact(sum.name ?? value.name, undefined, operator === '^' ? origin | CHARACTER : origin, sum.scope ?? value.scope);
  }
  // The expression ends here.
  finish() {
    const { frame } = this;
    if (frame.value !== undefined) this.merge();
    const fact = frame.sum;
    if (fact !== undefined) {
      if (frame.parts > 0 && fact.text !== undefined) this.read(fact.text, this.textAt);
      if (frame.returns) frame.scope.whole.result |= fact.origin & ~(CHARACTER | PACKED);
      if (frame.facts !== undefined) frame.facts.push(fact);
      frame.sum = undefined;
    }
    frame.isFresh = frame.isBlock;
    if (frame.isPlain) return;
    frame.isPlain = true;
    if (frame.targets !== undefined) {
      for (const target of frame.targets) this.bind(target, fact ?? NOTHING, frame);
      frame.targets = undefined;
    } else if (frame.declared !== undefined) this.bind(frame.declared, undefined, frame);
    frame.parts = 0;
    frame.operator = '';
    frame.questions = 0;
    frame.declaring = '';
    frame.declared = undefined;
    frame.returns = false;
    frame.pending = undefined;
  }
  bind({ names, declaring, isMore, at }, fact, frame) {
    for (const [key, name] of names) {
      let scope;
      if (name.startsWith('this.')) scope = frame.scope.owner;
      else if (declaring) scope = frame.scope.whole;
      else scope = frame.scope.holder(name) ?? frame.scope.module;
      if (scope === undefined) continue;
      if (fact === undefined) {
        // Without a value it only is a name.
        if (!scope.names.has(name)) scope.names.set(name, { fact: NOTHING, times: 0 });
        continue;
      }
      let value = key === '' ? fact : this.memberOf(fact, key);
      if (isMore) value = from(fact.origin & CHARACTER ? fact.origin | DECODED : fact.origin);
      if (value !== NOTHING && isTelling(value)) this.tells(name.startsWith('this.') ? name.slice(5) : name, at);
      scope.bind(name, value, this.isFirst);
    }
  }

  read(text, at) {
    if (this.silent.has(at) || !TEXT_WORD.test(text)) return;
    for (const [rule, pattern] of TEXTS) if (pattern.test(text)) this.report(rule, at);
    if (hasMetadataAddress(text)) this.report('metadata-address', at);
  }
  isCompared(at) {
    const before = this.kinds[at - 1];
    if (before === '==/!=' || this.kinds[at + 1] === '==/!=' || before === 'case') return true;
    return this.frame?.kind === 'call' && before === '(' && COMPARING.has(this.frame.calledLast);
  }
  string(at) {
    this.begin();
    const text = unescaped(this.words[at].slice(1, -1));
    this.textAt = at;
    // A text alone is no more than a comment.
    if (!this.isCompared(at) && !this.frame.isFresh) this.read(text, at);
    this.operand(new Fact(undefined, text, 0));
  }
  value(at) {
    this.begin();
    this.operand(this.kinds[at] === 'this' ? THIS : NOTHING);
  }
  quote(at) {
    const { frame } = this;
    if (frame.kind !== '`') {
      const { value } = frame;
      const inner = this.open('`', at, frame.scope);
      inner.facts = [];
      inner.callee = value;
      return;
    }
    this.pop();
    const pieces = frame.facts;
    const filled = pieces.filter((piece) => piece.text !== '');
    let origin = 0, size = 0, isConstant = true;
    for (const { text, origin: one } of filled) {
      origin |= one;
      size += text === undefined ? 1 : text.length;
      isConstant &&= text !== undefined;
    }
    const isWhole = filled.length <= 1;
    let text;
    if (isWhole || size <= LONG) {
      text = filled.map((piece) => piece.text ?? '~').join('');
      if (!this.isCompared(frame.at) && this.kinds[at + 1] !== '==/!=') this.read(text, frame.at);
    }
    const fact = from(origin !== 0 && !isWhole ? origin | MIXED : origin, isConstant ? text : undefined);
    if (frame.callee === undefined) this.operand(fact);
    else this.operand(this.call(frame.callee, this.frame.last, this.frame.base, [fact], frame.at));
  }
  piece(at) {
    this.frame.facts?.push(new Fact(undefined, unescaped(this.words[at]), 0));
  }

  name(at) {
    const { kinds, words, frame } = this;
    const name = words[at], next = kinds[at + 1];
    if (frame.value !== undefined) {
      if (name === 'as' || name === 'satisfies' || name === 'of') {
        this.merge();
        frame.operator = name === 'of' ? 'of' : 'as';
        frame.isPlain = false;
        return;
      }
      this.begin();
    }
    const current = this.frame;
    const { kind, scope } = current;
    if (next === '=>') {
      current.arrow = this.functions.get(at);
      current.isFresh = false;
      return;
    }
    if (kind === 'parameters') return;
    const isBeforeArrow = (next === '(' && this.functions.has(at + 1)) || (next === 'name' && kinds[at + 2] === '=>');
    if (name === 'async' && (next === 'function' || isBeforeArrow)) return;
    if (name === 'await' && next !== ')' && next !== ',' && next !== ';' && next !== '=' && next !== '.') {
      current.isFresh = false;
      return;
    }
    // A key of an object, or the name of a part of a class.
    if (kind === 'object') {
      if (next === ':' && current.questions === 0 && current.sum === undefined) return;
      if (next === '(' && this.bodies.size > 0 && this.functions.get(at + 1)?.kind === 'method') return;
    } else if (kind === 'class' && current.isFresh) {
      if (next === '(' && this.functions.get(at + 1)?.kind === 'method') return;
      if (next === '=' || next === ':' || next === ';' || next === '?') {
        current.declared = { names: [['', `this.${name}`]], declaring: '', at };
        current.isPlain = false;
      }
      if (next === '=' || next === ':' || next === ';' || next === '?' || next === 'name' || next === '#') return;
    }
    this.operand(this.known(name, scope, at), name);
  }
  known(name, scope, at) {
    const holder = scope.holder(name);
    let fact = holder === undefined ? GLOBALS.get(name) : holder.names.get(name).fact;
    if (fact === undefined) return NOTHING;
    if (fact === NOTHING && MAKERS.has(name)) fact = GLOBALS.get('Function');
    if (fact.name !== undefined) this.called(fact.name, at);
    return fact;
  }
  // Some things are reported for the name alone.
  called(name, at) {
    if (SPAWNING.has(name)) this.report('process-spawn', at);
    else if (NATIVE.has(name)) this.report('native-code', at);
    else if (name === 'CoinHive') this.report('crypto-miner', at);
    else if (name === 'process.mainModule.require') this.report('sandbox-escape-shape', at);
    else if (name === 'String.fromCharCode' || name === 'atob') this.frame.scope.whole.seen |= CHARACTER;
  }
  dot(at) {
    const { kinds, frame } = this;
    const next = kinds[at + 1] === '#' ? at + 2 : at + 1;
    if (kinds[at] === '?.' && kinds[next] !== 'name') return at;
    if (frame.value === undefined) {
      // `import.meta` and the like.
      this.operand(NOTHING);
      return next;
    }
    this.member(this.words[next] ?? kinds[next], next);
    return next;
  }
  // The operand becomes what is found in it by a name, whichever way.
  member(written, at) {
    const { frame } = this;
    const base = frame.value, name = unescaped(written);
    if (name === 'constructor' && frame.last === 'constructor') this.report('sandbox-escape-shape', at);
    if (base === THIS) {
      const fact = frame.scope.owner?.names.get(`this.${name}`)?.fact;
      this.operand(fact ?? NOTHING, name, THIS);
      return;
    }
    const fact = base === NOTHING ? NOTHING : this.memberOf(base, name);
    if (fact.name !== undefined) this.called(fact.name, at);
    this.operand(fact, name, base);
  }
  memberOf(base, name) {
    let origin = base.origin & ~PACKED;
    if (origin & SOCKET) origin = ON_SOCKETS.has(name) ? SOCKET : 0;
    const isNamed = base.name !== undefined && base.name.length < 60;
    if (!isNamed && origin === 0) return NOTHING;
    return new Fact(isNamed ? (name === 'default' ? base.name : plain(`${base.name}.${name}`)) : undefined, undefined, origin);
  }

  parenthesis(at) {
    const { frame, kinds } = this;
    const shape = this.functions.get(at);
    if (shape !== undefined) {
      this.begin();
      this.open('parameters', at, this.frame.scope).shape = shape;
      return;
    }
    const before = kinds[at - 1];
    let inner;
    if (frame.value !== undefined) {
      inner = this.open('call', at, frame.scope);
      inner.callee = frame.value;
      inner.calledLast = frame.last;
    } else if (before === 'import') {
      inner = this.open('call', at, frame.scope);
      inner.callee = named('import');
      inner.calledLast = 'import';
    } else if (before === 'if' || before === 'while' || before === 'for' || before === 'switch' || before === 'catch' || before === 'with') {
      this.open('condition', at, frame.scope);
      return;
    } else inner = this.open('group', at, frame.scope);
    inner.facts = [];
    inner.isFresh = false;
  }
  bracket(at) {
    const { frame } = this;
    const inner = this.open(frame.value === undefined ? 'array' : 'index', at, frame.scope);
    inner.facts = [];
    inner.isFresh = false;
  }
  brace(at) {
    const { frame } = this;
    const shape = this.bodies.get(at);
    if (shape !== undefined) {
      const given = this.given(), end = this.closing[at];
      if (given === NOTHING && end > at && this.next[at] >= end) {
        this.leave(shape, undefined);
        return end;
      }
      this.open('function', at, this.enter(at, shape, given), true).shape = shape;
    } else if (frame.classes === 'open') {
      frame.classes = frame.isFresh ? '' : 'value';
      frame.value = frame.sum = undefined;
      this.open('class', at, this.scope(at, frame.scope, true), true);
    } else if ((frame.value === undefined && !frame.isFresh) || this.words[at - 2] === 'enum') this.open('object', at, frame.scope).facts = [];
    else {
      this.begin();
      this.open('block', at, this.frame.scope, true);
    }
  }
  insertion(at) {
    const inner = this.open('${', at, this.frame.scope);
    inner.facts = [];
    inner.isFresh = false;
  }
  // What a callback is given depends on who calls it.
  given() {
    const { kind, callee, calledLast } = this.frame;
    if (kind !== 'call' || callee === NOTHING) return NOTHING;
    const { name, origin } = callee;
    if (calledLast === 'then') return new Fact(name?.endsWith('.then') ? name.slice(0, -5) : undefined, undefined, origin & ORIGIN);
    if ((calledLast === 'on' || calledLast === 'once') && origin & SOCKET) return from(RECEIVED);
    return name === 'net.createServer' ? from(SOCKET) : NOTHING;
  }
  // A function's own scope.
  enter(at, shape, given) {
    const scope = this.scope(at, this.frame.scope, false, shape.name);
    scope.parameters = shape.names;
    scope.isGiven = given !== NOTHING;
    const isPattern = this.kinds[shape.at + 1] === '{';
    for (const name of shape.names) {
      if (!scope.names.has(name) || given !== NOTHING) scope.bind(name, isPattern ? this.memberOf(given, name) : given, false);
    }
    return scope;
  }
  arrow(at) {
    const { frame } = this;
    const shape = frame.arrow;
    frame.arrow = undefined;
    if (shape === undefined || this.kinds[at + 1] === '{') return;
    const inner = this.open('=>', at, this.enter(at, shape, this.given()));
    inner.facts = [];
    inner.isFresh = false;
  }
  // Arrow functions without braces end where the expression does.
  arrows() {
    while (this.frame.kind === '=>') {
      this.finish();
      const { scope, facts } = this.pop();
      scope.result |= (facts[facts.length - 1]?.origin ?? 0) & ~PACKED;
      this.frame.scope.whole.seen |= scope.seen;
      this.operand(new Fact(undefined, undefined, 0, scope));
      this.frame.isHere = true;
    }
  }

  close(at) {
    this.arrows();
    // Something was taken for what it is not.
    if (this.closing[this.frame.at] > at) return;
    this.finish();
    if (this.frame.kind === 'program') return;
    const frame = this.pop(), outer = this.frame;
    const { kind, facts } = frame;
    if (kind === 'call') {
      const base = outer.value === undefined ? NOTHING : outer.base;
      this.operand(this.call(frame.callee, frame.calledLast, base, facts, frame.at));
    } else if (kind === 'index') {
      const { text } = facts[facts.length - 1] ?? NOTHING;
      if (text !== undefined) this.member(text, frame.at);
      else this.operand(from((outer.value ?? NOTHING).origin & ~(PACKED | SOCKET)));
    } else if (kind === 'group') {
      this.operand(facts[facts.length - 1] ?? NOTHING);
      outer.isHere = frame.isHere;
    } else if (kind === 'array') {
      let origin = 0;
      for (const one of facts) origin |= one.origin;
      this.operand(new Fact(undefined, undefined, origin !== 0 ? origin | MIXED : 0, undefined, facts));
    } else if (kind === 'object') this.operand(from(facts.reduce((origin, one) => origin | (one.origin & SOCKET), 0)));
    else if (kind === '${') outer.facts?.push(facts[facts.length - 1] ?? NOTHING);
    else if (kind === 'condition') {
      outer.value = undefined;
      outer.isFresh = true;
    } else if (kind === 'parameters') {
      if (frame.shape.kind === 'arrow') outer.arrow = frame.shape;
      outer.isFresh = false;
      this.signatureAt = at;
    } else if (kind === 'function') this.leave(frame.shape, frame.scope);
    else if (kind === 'class' && outer.classes === 'value') {
      outer.classes = '';
      this.operand(NOTHING);
    } else if (kind === '`') outer.value = undefined;
    else this.finish();
  }
  leave(shape, scope) {
    const { frame } = this;
    let fact = NOTHING;
    if (scope !== undefined) {
      fact = new Fact(undefined, undefined, 0, scope);
      frame.scope.whole.seen |= scope.seen;
    }
    frame.arrow = undefined;
    if (shape.kind === 'method' && frame.kind === 'class') {
      this.bind({ names: [['', `this.${this.words[shape.at - 1]}`]], declaring: '', at: shape.at }, fact, frame);
      frame.isFresh = true;
    } else if (frame.isDeclaration && shape.kind === 'function') {
      frame.isDeclaration = false;
      if (shape.name !== undefined) this.bind({ names: [['', shape.name]], declaring: 'var', at: shape.at - 1 }, fact, frame);
      frame.isFresh = true;
    } else {
      this.operand(fact);
      frame.isHere = shape.kind === 'function' || shape.kind === 'arrow';
    }
  }

  definition(at) {
    const { kinds } = this;
    this.begin();
    const { frame } = this;
    const before = kinds[at - 1];
    const isStatement = (frame.isFresh && frame.isBlock) || before === 'export' || before === 'default';
    if (kinds[at] === 'class') {
      frame.classes = 'open';
      frame.isFresh = isStatement;
      if (kinds[at + 1] !== 'name') return at;
      this.bind({ names: [['', this.words[at + 1]]], declaring: 'const' }, undefined, frame);
      return at + 1;
    }
    // What is only declared is still what it is without that.
    frame.isDeclaration = isStatement && this.words[at - 1] !== 'declare';
    let next = at + 1;
    if (kinds[next] === '*') next++;
    return kinds[next] === 'name' ? next : next - 1;
  }
  declaration(at) {
    this.begin();
    this.finish();
    this.frame.isFresh = this.frame.isPlain = false;
    if (this.words[at - 1] === 'declare') return at;
    this.frame.declaring = this.kinds[at];
    return this.pattern(at);
  }
  // What a declaration declares: a name or a pattern of names.
  pattern(at) {
    const { kinds, words, frame } = this;
    const next = at + 1, { declaring } = frame;
    if (kinds[next] === 'name') {
      frame.declared = { names: [['', words[next]]], declaring, at: next };
      return next;
    }
    if (kinds[next] !== '{' && kinds[next] !== '[') return at;
    const end = this.closing[next], names = [], isObject = kinds[next] === '{';
    for (let inside = next + 1, position = 0; inside < end && names.length < 100; inside++) {
      const kind = kinds[inside];
      if (kind === ',') position++;
      if ((kind !== 'name' && kind !== 'string' && kind !== 'default') || kinds[inside - 1] === '=') continue;
      const name = words[inside];
      if (isObject && kinds[inside + 1] === ':' && kinds[inside + 2] === 'name') {
        names.push([unescaped(name.replace(/^['"]|['"]$/g, '')), words[inside + 2]]);
        inside += 2;
      } else names.push([isObject ? name : `${position}`, name]);
    }
    frame.declared = { names, declaring, at };
    return Math.max(end, next);
  }
  equals(at) {
    const { frame } = this;
    const isMore = this.kinds[at] === '_=';
    let target = frame.declared;
    frame.declared = undefined;
    if (target === undefined && frame.value !== undefined && frame.sum === undefined && frame.last !== '' && frame.kind !== 'object') {
      const before = this.kinds[at - 2];
      if (frame.base === THIS) target = { names: [['', `this.${frame.last}`]], declaring: '', at: at - 1 };
      else if (this.kinds[at - 1] === 'name' && before !== '.' && before !== '?.') {
        target = { names: [['', frame.last]], declaring: frame.declaring, at: at - 1 };
      }
    }
    if (target !== undefined) (frame.targets ??= []).push(isMore ? { ...target, isMore } : target);
    frame.value = frame.sum = undefined;
    frame.parts = 0;
    frame.operator = '';
    frame.isFresh = frame.isPlain = false;
  }
  comma(at) {
    if (this.frame.kind === '=>') this.arrows();
    const { frame } = this;
    const { declaring } = frame;
    this.finish();
    frame.isFresh = false;
    if (declaring === '') return at;
    frame.declaring = declaring;
    frame.isPlain = false;
    return this.pattern(at);
  }
  semicolon() {
    if (this.frame.kind === '=>') this.arrows();
    this.finish();
  }
  question() {
    const { frame } = this;
    this.merge();
    frame.sum = undefined;
    frame.questions++;
    frame.isFresh = frame.isPlain = false;
  }
  colon(at) {
    const { kinds, frame } = this;
    if (frame.kind === '=>' && frame.questions === 0) this.arrows();
    const current = this.frame;
    if (current.questions > 0) {
      current.questions--;
      this.merge();
      current.operator = '?';
      return at;
    }
    // The type of what comes back.
    if (this.signatureAt === at - 1) return this.type(at) - 1;
    if (current.declared !== undefined || current.kind === 'class') {
      // A type; nothing of it is a value.
      let next = at + 1;
      for (let far = 0; far < 60; far++, next++) {
        const kind = kinds[next], before = kinds[next - 1];
        if (kind === '{' || kind === '(' || kind === '[') next = Math.max(next, this.closing[next]);
        else if (AFTER_TYPE.has(kind) || this.words[next] === 'of') break;
        else if (kind === 'name' && far > 0 && this.lines[next] !== this.lines[next - 1] && before !== '|' && before !== '&') break;
      }
      return next - 1;
    }
    current.value = current.sum = undefined;
    current.parts = 0;
    current.isFresh = current.isBlock;
    return at;
  }
  prefix() {
    const { frame } = this;
    if (frame.value === undefined) frame.isFresh = false;
  }
  statement(at) {
    if (this.kinds[at] === 'return') {
      this.arrows();
      this.finish();
      this.frame.returns = true;
      this.frame.isFresh = this.frame.isPlain = false;
      return;
    }
    if (!this.frame.isBlock) {
      if (this.frame.kind !== '=>') return;
      this.arrows();
    }
    this.finish();
    this.loop(at);
  }

  imported(at) {
    const { kinds, words } = this;
    if (kinds[at + 1] === '(') return this.begin();
    if (kinds[at + 1] === '.') {
      this.begin();
      this.operand(NOTHING);
      return at + 2;
    }
    this.arrows();
    this.finish();
    const { frame } = this;
    const names = [];
    let next = at + 1;
    for (; kinds[next] !== 'string' && kinds[next] !== ';' && kinds[next] !== 'import' && kinds[next] !== 'eof'; next++) {
      if (kinds[next] === '=') {
        // `import x = require('y')`
        frame.declared = { names: [['', words[next - 1] ?? '']], declaring: 'const', at: next - 1 };
        frame.isPlain = false;
        this.equals(next);
        return next;
      }
      if (kinds[next] !== 'name' && kinds[next] !== 'default') continue;
      const word = words[next];
      if (word === 'as' || (word === 'from' && kinds[next + 1] === 'string')) continue;
      if (words[next - 1] === 'as') {
        if (kinds[next - 2] === '*') names.push(['', word]);
        else if (names.length > 0) names[names.length - 1][1] = word;
      } else names.push([kinds[next - 1] === 'import' || words[next - 1] === 'type' ? '' : word, word]);
    }
    if (kinds[next] !== 'string') return at;
    const module = moduleOf(unescaped(words[next].slice(1, -1)));
    if (NATIVE_MODULES.test(module)) this.report('native-code', next);
    for (const [key, name] of names) {
      this.bind({ names: [['', name]], declaring: 'const', at }, named(key === '' || key === 'default' ? module : plain(`${module}.${key}`)), frame);
    }
    return next;
  }

  // An endless loop; the frames in it are told of it.
  loop(at) {
    const { kinds, words } = this;
    const isNumber = (open) => this.is(open, '(', 'num', ')') && words[open + 1] !== '0';
    const isTrue = (open) => isNumber(open) || this.is(open, '(', 'true', ')') || this.is(open, '(', '!', 'num', ')');
    let body = -1;
    if (kinds[at] === 'while' && isTrue(at + 1)) body = this.closing[at + 1] + 1;
    else if (kinds[at] === 'for' && this.is(at + 1, '(', ';', ';', ')')) body = at + 5;
    else if (kinds[at] === 'do' && kinds[at + 1] === '{') {
      const end = this.closing[at + 1];
      if (kinds[end + 1] === 'while' && isTrue(end + 2)) body = at + 1;
    }
    if (body < 0) return;
    let end = body;
    if (kinds[body] === '{') end = this.closing[body];
    else while (kinds[end] !== ';' && kinds[end] !== 'eof' && end < body + 200) end = Math.max(end, this.closing[end]) + 1;
    this.frame.pending = { body, end, start: -1 };
    this.frame.isPlain = false;
  }

  // What is known of what a call returns, after what it means was reported.
  call(callee, last, base, facts, at) {
    const { frame } = this;
    const { scope: own } = callee;
    const { whole } = frame.scope;
    if (callee === NOTHING && !METHODS.has(last)) return NOTHING;
    let { name } = callee, given = facts;
    if (name !== undefined && /\.(?:call|apply|bind)$/.test(name)) {
      name = name.slice(0, name.lastIndexOf('.'));
      given = facts.slice(1);
      if (last === 'apply' && given[0]?.elements !== undefined) given = given[0].elements;
    } else if ((name === 'Reflect.apply' || name === 'Reflect.construct') && facts[0]?.name !== undefined) {
      name = facts[0].name;
      given = facts[facts.length - 1].elements ?? [];
    }
    const first = given[0] ?? NOTHING;
    let passed = 0;
    for (const one of given) passed |= one.origin;
    passed &= ~PACKED;
    const inherited = (base === THIS ? 0 : callee.origin) & ~PACKED;
    if (own !== undefined) {
      // A function of the program's own.
      if (own.runsParameter && passed & DECODED) this.report('exec-of-decoded-text', at);
      return from(own.result | (frame.isHere && own.seen & (DECODED | CHARACTER) ? PACKED : 0));
    }
    if (name !== undefined) {
      // What this is given is of interest, whatever it is.
      const isOpen = first === NOTHING && this.kinds[at + 1] === 'name';
      if (isOpen && (CODE.has(name) || SPAWNING.has(name) || REQUIRING.has(name) || name === 'atob' || name === 'Buffer.from')) {
        this.tells(this.words[at + 1], at);
      }
      if (STARTING.has(name)) {
        if (whole.starts < 0) whole.starts = at;
        const loop = frame.pending ?? frame.loop;
        if (loop !== undefined) {
          if (loop.start < 0) loop.start = at;
          this.loops.set(loop.body, loop);
        }
      }
      if (REQUIRING.has(name) || name === 'module.createRequire()') return this.required(first, at);
      if (SPAWNING.has(name)) return this.spawn(given, at);
      if (CODE.has(name)) this.run(name, given, at);
      else if (name === 'node-serialize.unserialize' || (name === 'v8.deserialize' && passed & ORIGIN)) this.report('unsafe-deserialisation', at);
    }
    if (last === '_compile') this.run(last, given, at);
    else if (last === 'constructor' && this.kinds[at - 1] === ']' && first.text !== undefined) {
      // What makes functions of texts, by a name in a text.
      this.report('sandbox-escape-shape', at);
      this.executed.push([first.text, this.onLine ?? this.lines[at]]);
    } else if (last === 'constructor' && base !== THIS && passed & DECODED) this.report('exec-of-decoded-text', at);
    else if (last === 'then' && inherited & FETCHED && CODE.has(first.name)) this.report('exec-of-fetched-text', at);
    else if (last === 'pipe' && (inherited | passed) & SOCKET) {
      const others = `${this.words[at - 3]} ${this.words[this.closing[at] - 1]}`;
      if (/^(?:stdout|stderr) | stdin$/.test(others)) this.redirects.push(at);
    }
    const fact = this.outcome(name, last, base, given, inherited, passed, at);
    whole.seen |= fact.origin & (DECODED | CHARACTER);
    return fact;
  }
  outcome(name, last, base, given, inherited, passed, at) {
    const first = given[0] ?? NOTHING;
    const called = name === undefined || name.length > 60 ? undefined : `${name}()`;
    const result = (origin, text) => (called === undefined ? from(origin, text) : new Fact(called, text, origin));
    const taken = DECODED | ((passed | inherited) & (FETCHED | RECEIVED));
    if (name === 'atob' || DECODING.includes(last)) {
      this.measure(first.text, 30, at);
      return result(taken);
    }
    if (last === 'createDecipheriv') return result(DECODED);
    if (name === 'Buffer.from' || name === 'Buffer') {
      const encoding = given[1]?.text;
      // A text as a list of numbers.
      if (first.elements !== undefined && first.elements.length >= 16) return result(DECODED);
      if (encoding !== 'base64' && encoding !== 'base64url' && encoding !== 'hex') return result(passed);
      this.measure(first.text, encoding === 'hex' ? 12 : 30, at);
      return result(taken);
    }
    if ((name === 'unescape' || name === 'decodeURIComponent') && (first.text?.includes('%') || passed & DECODED)) return result(taken);
    if (name === 'String.fromCharCode' || name === 'String.fromCodePoint') return result(given.length >= 4 ? DECODED : CHARACTER);
    if (name !== undefined) {
      if (FETCHING.has(name)) return result(FETCHED);
      if (SOCKETS.has(name)) return result(SOCKET);
      if (PASSING.has(name)) return result(passed, name === 'String' ? first.text : undefined);
    }
    if (last === 'split' && base.text !== undefined && base.text.length >= 8) return CHARACTERS;
    if (last === 'reverse' && base === CHARACTERS) return result(DECODED);
    if (last === 'join' || last === 'concat' || last === 'resolve') {
      const text = this.joined(last, base, given);
      if (text !== undefined) this.read(text, at);
      return result((inherited | passed) & ~MIXED, text);
    }
    if (last === 'map' || last === 'replace' || last === 'reduce' || last === 'from' || last === 'then') {
      for (const { scope, name: by } of given) {
        const made = scope !== undefined ? scope.result : by === 'String.fromCharCode' ? CHARACTER : by === 'atob' ? DECODED : 0;
        passed |= made & CHARACTER && last !== 'then' ? DECODED : made;
      }
    }
    if (PASSING_METHODS.has(last)) return result(inherited | passed);
    return result(inherited & SOCKET && ON_SOCKETS.has(last) ? SOCKET : 0);
  }
  // The text that is joined from constant parts; of a path some may be unknown.
  joined(last, base, given) {
    let parts = given, separator = '/';
    if (last === 'concat') {
      parts = [base, ...given];
      separator = '';
    } else if (last === 'join' && base.elements !== undefined) {
      parts = base.elements;
      separator = given.length === 0 ? ',' : given[0].text;
    } else if (given.length < 2 || !given.some(({ text }) => text !== undefined)) return undefined;
    else parts = given.map((one) => (one.text === undefined ? new Fact(undefined, '~', 0) : one));
    let size = 0;
    for (const { text } of parts) size += text === undefined ? LONG : text.length + 1;
    return size > LONG || size === 0 || separator === undefined ? undefined : parts.map(({ text }) => text).join(separator);
  }
  required({ text, origin }, at) {
    if (text === undefined) {
      if (origin & DECODED) this.report('exec-of-decoded-text', at);
      return NOTHING;
    }
    if (/^data:(?:text|application)\/javascript/.test(text)) {
      this.report(/^[^,]{0,100};base64,/.test(text) ? 'exec-of-decoded-text' : 'dynamic-code', at);
    }
    const module = moduleOf(text);
    if (NATIVE_MODULES.test(module)) this.report('native-code', at);
    return named(module);
  }
  run(name, given, at) {
    const isFunction = name === 'Function';
    const { text, origin } = (isFunction ? given[given.length - 1] : given[0]) ?? NOTHING;
    if (origin & (DECODED | PACKED | CHARACTER)) this.report('exec-of-decoded-text', at);
    else if (origin & (FETCHED | RECEIVED)) this.report('exec-of-fetched-text', at);
    else if (text !== undefined) {
      this.executed.push([text, this.onLine ?? this.lines[at]]);
      if (isFunction && given.some((one) => one.text === undefined)) this.report('dynamic-code', at);
    } else if (given.length > 0) this.report('dynamic-code', at);
    const { whole } = this.frame.scope;
    const isParameter = this.kinds[at + 1] === 'name' && this.closing[at] === at + 2 && whole.parameters?.includes(this.words[at + 1]);
    if (isParameter) whole.runsParameter = true;
  }
  spawn(given, at) {
    const command = given[0] ?? NOTHING;
    const elements = given[1]?.elements ?? command.elements ?? [];
    let { origin } = command;
    elements.forEach((one, position) => {
      if (/^(?:-e|-c|-p|--eval|\/c)$/.test(one.text ?? '')) origin = elements[position + 1]?.origin ?? origin;
    });
    if (!(origin & MIXED)) {
      if (origin & DECODED) this.report('exec-of-decoded-text', at);
      else if (origin & RECEIVED) this.report('reverse-shell', at);
      else if (origin & FETCHED) this.report('exec-of-fetched-text', at);
    }
    const words = [command, ...elements].map((one) => one.text).filter((text) => text !== undefined && text.length <= LONG).slice(0, 20);
    if (words.length > 1) this.read(words.join(' '), at);
    if (words.some((word) => SHELL.test(word))) {
      this.hasShell = true;
      if (given.slice(1).some((one) => one.origin & SOCKET)) this.report('reverse-shell', at);
    }
    return NOTHING;
  }
  // A long text that nobody can read.
  measure(text, variety, at) {
    if (text === undefined || text.length < 512) return;
    const sample = text.slice(0, 4096);
    if (PRINTABLE.test(sample) && new Set(sample).size >= variety) this.report('long-encoded-text', at);
  }

  judge() {
    for (const { body, end, start } of this.loops.values()) if (this.onlyStarts(body, end)) this.report('fork-bomb', start);
    for (const [at, scope] of this.scopes) {
      if (scope.starts < 0 || scope.name === undefined || scope.parameters.length > 0) continue;
      const end = this.closing[at], again = this.words.indexOf(scope.name, at);
      if (again < 0 || again > end) continue;
      const hasCondition = () => this.kinds.slice(at, end).some((kind) => CONDITIONS.has(kind));
      if (this.onlyStarts(at, end, scope.name) && !hasCondition()) this.report('fork-bomb', scope.starts);
    }
    if (this.redirects.length > 0 && this.hasShell) this.report('reverse-shell', this.redirects[0]);
  }
  // Whether nothing in a loop or function could wait, end, or find out that it should.
  onlyStarts(start, end, own) {
    const { kinds, words } = this;
    for (let at = start; at <= end; at++) {
      if (LEAVING.has(kinds[at]) || words[at] === 'await') return false;
      if (kinds[at] === '(' && kinds[at - 1] === 'name' && !HARMLESS.has(words[at - 1]) && words[at - 1] !== own) return false;
    }
    return true;
  }
}

// What is not here is an operator.
const HANDLERS = new Map([
  ...list('typeof void delete ! ~ ++/-- yield ... new').map((kind) => [kind, Look.prototype.prefix]),
  ...list('if for while switch catch with throw else do try finally case default').map((kind) => [kind, Look.prototype.statement]),
  ...list('break continue export debugger return').map((kind) => [kind, Look.prototype.statement]),
  ...list('this super null true false regexp num').map((kind) => [kind, Look.prototype.value]),
  ...list('const let var').map((kind) => [kind, Look.prototype.declaration]),
  ...list(') ] }').map((kind) => [kind, Look.prototype.close]),
  ...list('. ?.').map((kind) => [kind, Look.prototype.dot]),
  ...list('= _=').map((kind) => [kind, Look.prototype.equals]),
  ...list('function class').map((kind) => [kind, Look.prototype.definition]),
  ['name', Look.prototype.name],
  ['string', Look.prototype.string],
  ['`', Look.prototype.quote],
  ['template', Look.prototype.piece],
  ['${', Look.prototype.insertion],
  ['(', Look.prototype.parenthesis],
  ['[', Look.prototype.bracket],
  ['{', Look.prototype.brace],
  [',', Look.prototype.comma],
  [';', Look.prototype.semicolon],
  ['?', Look.prototype.question],
  [':', Look.prototype.colon],
  ['=>', Look.prototype.arrow],
  ['import', Look.prototype.imported],
  ['#', (at) => at],
  ['@', (at) => at],
]);

const look = (text) => {
  const found = new Map(), seen = new Set();
  const waiting = [[text, undefined]];
  while (waiting.length > 0 && seen.size < NESTED) {
    const [source, line] = waiting.pop();
    const one = new Look(source, line);
    for (const [key, finding] of one.found) found.set(key, finding);
    for (const [next, where] of one.executed) {
      if (seen.has(next)) continue;
      seen.add(next);
      waiting.push([next, where]);
    }
  }
  const rules = new Set([...found.values()].map(([rule]) => rule));
  for (const rule of rules) if (WORDS[rule].some((word) => text.includes(word))) rules.delete(rule);
  for (const [key, [rule]] of found) if (rules.has(rule)) found.delete(key);
  return found;
};

// As many findings as are told: first of each rule one, so that none can be hidden behind many of another.
const told = (found) => {
  // A private key is a credential; that is said once.
  const ones = [...found.values()].filter(([rule, line]) => rule !== 'credential-path' || !found.has(`private-key-path:${line}`));
  const ranks = new Map();
  const ordered = ones.sort(([, one], [, other]) => one - other).map((finding) => {
    const rank = (ranks.get(finding[0]) ?? 0) + 1;
    ranks.set(finding[0], rank);
    return [rank, finding];
  });
  const most = ordered.sort(([one], [other]) => one - other).slice(0, MOST).map(([, finding]) => finding);
  return most.sort(([rule, line], [otherRule, otherLine]) => line - otherLine || (rule < otherRule ? -1 : 1));
};

let findings = [];
try {
  findings = told(look(readFileSync(0, 'utf8')));
} catch {
  // The run itself says what is wrong.
}
console.log(JSON.stringify(findings));
