// what JSON says of a text that is none, and of a value that has no text
const texts = ['{bad', '[1,]', '', '{"a":1,}', 'undefined', '{"a" 1}', "{'a':1}", 'nul', '"abc', '1 2', '[1 2]', '{"a":1 "b"}', '{"a":}', '-', '1.', '1e', '01', '"\\x"', '"\n"', '"\\u12"', '[', '{', '{"a"',
  'x'.repeat(50), `[${'1,'.repeat(30)}x${',1'.repeat(30)}]`, '{"key": "value", "list": [1, 2, oops]}', '{\n  "a": 1,\n  b: 2\n}'];
for (const text of texts) try { JSON.parse(text); console.log('fine'); } catch (error) { console.log(error.name, error.message); }
try { JSON.parse({}); } catch (error) { console.log(error.message); }
const own = {};
own.self = own;
const deep = { a: { b: [{}] } };
deep.a.b[0].x = deep.a;
const long = { a: { b: { c: { d: { e: {} } } } } };
long.a.b.c.d.e.back = long;
class Node { constructor() { this.children = [{ parent: this }]; } }
for (const value of [own, deep, long, new Node(), { big: 1n }]) try { JSON.stringify(value); } catch (error) { console.log(error.name, error.message); }
