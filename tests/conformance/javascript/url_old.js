// the old functions of url: parse, format, resolve
// stderr = []
const url = require('url');
const shown = (value) => JSON.stringify({ ...value });
for (const text of ['http://user:pass@sub.example.com:8080/p/a/t/h?query=string#hash', '/path?x=1', 'https://example.com', '//host/path', 'mailto:a@b.c', 'file:///etc/passwd', 'http://[::1]:3000/x', 'HTTP://EXAMPLE.com/Foo', '?a=b', 'http://a.com/b c?d e#f g', 'javascript:alert(1)', 'localhost:3000/x', 'postgres://user:secret@db.host:5432/name?ssl=true', '']) console.log(shown(url.parse(text)));
console.log({ ...url.parse('/x?a=1&b=2&a=3', true).query }, url.parse('//host/path', false, true).host);
for (const parts of [{ protocol: 'http', host: 'a.com', pathname: '/x', query: { a: 1, b: [2, 3] } }, { protocol: 'https:', hostname: 'h', port: 81, pathname: 'p', hash: 'q' }, { pathname: '/x?y', search: 'z#' }, {}]) console.log(url.format(parts));
for (const [from, to] of [['/one/two/three', 'four'], ['http://example.com/', '/one'], ['http://a.com/b/c?d', '?x'], ['http://a.com/b/c', '../d'], ['http://a.com/b', '//o.com/p'], ['a/b', 'c'], ['/x', '#h'], ['http://a.com/x', 'mailto:q']]) console.log(url.resolve(from, to));
console.log(url.format(new URL('http://u:p@h/a?b#c'), { auth: false, fragment: false }), url.urlToHttpOptions(new URL('http://u:p@h:81/a?b#c')).auth, require('console') === console);
try { url.parse(5); } catch (error) { console.log(error.code); }
