// URL and URLSearchParams, a router with parameters, cookies and query strings
const url = new URL('https://user:p%40ss@Example.COM:8080/a/b/../c%20d/?q=1&tag=x&tag=y&empty=#frag');
console.log(url);
console.log(url.href, url.origin, url.hostname, url.port, url.pathname, url.search, url.hash, url.username, url.password, url.host);
console.log(url.searchParams, url.searchParams.getAll('tag'), url.searchParams.get('none'), [...url.searchParams.keys()], url.searchParams.size);
url.searchParams.append('new key', 'a b&c=d/ü');
url.searchParams.delete('tag');
url.searchParams.sort();
url.hash = '';
url.port = '443';
console.log(url.toString(), JSON.stringify({ url }), new URL('../x?y#z', 'http://h/a/b/c').href, new URL('//other/p', 'https://h').href, URL.canParse('nope'), URL.canParse('/x', 'http://h'));
for (const bad of ['not a url', 'http://', 'http://a b/', '/relative']) {
  try { console.log(new URL(bad).href); } catch (error) { console.log(error.name, error.code, error.message, error.input); }
}
const params = new URLSearchParams({ a: '1', b: 'x y' });
params.set('a', '2');
console.log(String(params), Object.fromEntries(params), new URLSearchParams('?a=%20+b&c').toString(), new URLSearchParams([['k', 'v'], ['k', 'w']]).has('k', 'w'));

class Router {
  routes = [];
  add(method, pattern, handler) {
    const names = [];
    const source = pattern.replace(/:(\w+)(\([^)]*\))?/g, (_, name, group) => { names.push(name); return group ?? '([^/]+)'; }).replace(/\*/g, '(.*)');
    this.routes.push({ method, regex: new RegExp(`^${source}/?$`), names, handler });
    return this;
  }
  handle(method, target) {
    const { pathname, searchParams } = new URL(target, 'http://localhost');
    const allowed = new Set();
    for (const { method: m, regex, names, handler } of this.routes) {
      const match = regex.exec(pathname);
      if (!match) continue;
      if (m !== method) { allowed.add(m); continue; }
      const params = Object.fromEntries(names.map((n, i) => [n, decodeURIComponent(match[i + 1])]));
      return { status: 200, body: handler({ params, query: Object.fromEntries(searchParams), rest: match.slice(names.length + 1) }) };
    }
    return allowed.size ? { status: 405, allow: [...allowed].join(', ') } : { status: 404 };
  }
}
const router = new Router()
  .add('GET', '/users', ({ query }) => ({ list: true, ...query }))
  .add('GET', '/users/:id(\\d+)', ({ params }) => params)
  .add('POST', '/users', () => 'created')
  .add('GET', '/users/:name/posts/:post', ({ params }) => params)
  .add('GET', '/static/*', ({ rest }) => rest[0]);
for (const [method, target] of [['GET', '/users?page=2&sort=name'], ['GET', '/users/42/'], ['GET', '/users/abc'], ['DELETE', '/users'], ['GET', '/users/J%C3%BCrgen/posts/7'], ['GET', '/static/css/main.css'], ['GET', '/none']]) console.log(method, target, router.handle(method, target));
const querystring = require('querystring');
console.log(querystring.parse('a=1&a=2&b=%20c'), querystring.stringify({ x: [1, 2], y: 'é' }), require('url').parse('http://a.com:80/p?q=1#h').pathname);
const cookies = Object.fromEntries('session=abc123; theme=dark%20mode; flag'.split('; ').map((c) => c.split('=').map(decodeURIComponent)));
console.log(cookies, require('url').fileURLToPath('file:///a/b%20c.txt'), require('url').pathToFileURL('/x y').href);
