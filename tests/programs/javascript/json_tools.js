// JSON: revivers, replacers, deep merge, diff, paths, flattening
const config = { name: 'app', version: 2, debug: false, tags: ['a', 'b'], server: { host: 'localhost', ports: [80, 443], tls: null }, when: new Date(0), count: 12n, skip: undefined, fn() {}, nan: NaN, nested: new Map([['k', 1]]) };
const replacer = (key, value) => (typeof value === 'bigint' ? `${value}n` : value instanceof Map ? { $map: [...value] } : value);
const text = JSON.stringify(config, replacer, 2);
console.log(text);
const back = JSON.parse(text, (key, value) => (typeof value === 'string' && /^\d+n$/.test(value) ? BigInt(value.slice(0, -1)) : typeof value === 'string' && /^\d{4}-\d\d-\d\dT/.test(value) ? new Date(value) : value?.$map ? new Map(value.$map) : value));
console.log(back);
const isObject = (v) => v !== null && typeof v === 'object' && !Array.isArray(v);
const merge = (a, b) => Object.fromEntries([...new Set([...Object.keys(a), ...Object.keys(b)])].map((k) => [k, isObject(a[k]) && isObject(b[k]) ? merge(a[k], b[k]) : k in b ? b[k] : a[k]]));
const get = (o, path, fallback) => path.split(/[.[\]]+/).filter(Boolean).reduce((v, k) => v?.[k], o) ?? fallback;
const flatten = (o, prefix = '') => Object.entries(o).flatMap(([k, v]) => (v && typeof v === 'object' ? flatten(v, `${prefix}${k}.`) : [[prefix + k, v]]));
const diff = (a, b, path = '') => [...new Set([...Object.keys(a ?? {}), ...Object.keys(b ?? {})])].flatMap((k) => { const p = path ? `${path}.${k}` : k; if (typeof a?.[k] === 'object' && typeof b?.[k] === 'object' && a[k] && b[k]) return diff(a[k], b[k], p); return a?.[k] === b?.[k] ? [] : [`${!(k in (a ?? {})) ? '+' : !(k in (b ?? {})) ? '-' : '~'} ${p}: ${JSON.stringify(a?.[k])} -> ${JSON.stringify(b?.[k])}`]; });
const other = { version: 3, server: { host: 'example.org', ports: [80, 8443] }, extra: { a: 1 } };
console.log(merge({ a: 1, s: { x: 1, y: [1] } }, { b: 2, s: { y: [2] } }), get(config, 'server.ports[1]'), get(config, 'a.b.c', 'none'));
console.log(flatten({ a: 1, b: { c: [true, { d: null }] } }), diff({ version: 2, server: { host: 'localhost', ports: [80, 443] } }, other));
for (const bad of ['{"a": 1,}', "{'a': 1}", '[1, 2', '', 'undefined', '{"a" 1}', '01', '"\t"', 'nul', '[1] 2', '{"a": }']) {
  try { JSON.parse(bad); } catch (error) { console.log(JSON.stringify(bad), '->', error.name, error.message); }
}
const loop = { a: [] };
loop.a.push(loop);
try { JSON.stringify(loop); } catch (error) { console.log(error.name, error.message); }
try { JSON.stringify({ n: 1n }); } catch (error) { console.log(error.name, error.message); }
console.log(JSON.stringify([undefined, () => 1, Symbol('x'), NaN, -0, 1e21, '\u2028\ud800é"\\']), JSON.stringify({ a: [1, { b: 2 }] }, null, '--'), JSON.stringify({ b: 1, a: 2, c: 3 }, ['a', 'b']), JSON.stringify('x'), JSON.stringify(undefined), JSON.stringify(new Date(NaN)), JSON.stringify({ toJSON: (k) => `key:${k}` }), JSON.stringify(Object.create({ x: 1 })), JSON.stringify([new Set([1]), new Map(), new Error('e'), /r/]));
