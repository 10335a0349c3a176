// texts that do not parse: what is wrong with them
// only = "the wording of an older Node than that of the container"
const rows = `
let x = ;
foo(
foo(1, 2
foo(1 2)
{ a: 1
[1, 2
let a = 1; let a = 2
const a = 1; var a
const x
let let = 1
function f( {}
if (x
if x
}
)
]
a b
a 1
1 a
'abc
"abc
/abc
/(/
/a/zz
return 1)
for (
for (let i = 0; i < 3; i++
for (const x in
while (
do { } while
switch (x) { foo }
break
continue
foo: while (1) { break bar }
await x
yield 1
'use strict'; yield = 1
'use strict'; with (a) {}
'use strict'; delete x
'use strict'; 010
'use strict'; eval = 1
'use strict'; arguments = 1
'use strict'; function f(a, a) {}
(a, a) => 1
1 = 2
a + 1 = 2
1++
for (1 of []) {}
({a:1 b:2})
({a b})
class A { constructor() {} constructor() {} }
class A { x() }
class { }
class A extends { }
class A { constructor() { super() } }
function f() { super.x }
export const a = 1
import.meta
import('x',
x ? 1
x ? 1 :
x => {
(x, y
(x) =>
() => {} ()
var 1a
var a.b = 1
throw
throw
try { }
try {} catch
try {} finally
else
if (1) else 2
case 1:
default:
function () {}
async function () {}
function f() { return 1
var if = 1
enum
let enum = 1
@foo
this.#x
class A { f() { this.#y } }
a?.b = 1
-1 ** 2
a ?? b || c
0b2
0o8
0x
1.e
3in []
3n.5
08n
{ "a": 1 }
{ 'a': 1, 'b': 2 }
a: { b: { break c } }
continue foo
while (1) { (() => { break })() }
for (let x = 1 of []) {}
get x() {}
({ get x(a) {} })
({ set x() {} })
[...a, b] = []
({...a, b} = {})
(...a)
(a, ...b)
f(...)
new
typeof
delete
void
!
a &&
a ||
a +
a ,
a =
a.
a[
a?.
a?.[
let x; let y; let x
function f() { let a; let a; }
function f(a) { let a; }
try {} catch (e) { let e }
*
* 2
=> 1
== 2
? 1 : 2
. foo
, a
...a
: 1
; )
let x = 1 let y = 2
const a = 1 const b = 2
console.log('a' 'b')
console.log("a)
console.log(a;
if (a) { b
function foo { }
function foo()
var x = function { }
let 5
let x y
const
var
async x y
let async = await x
`.trim().split('\n');
for (const row of rows) {
  try {
    new Function(row);
    console.log(row, '=> nothing');
  } catch (error) { console.log(row, '=>', `${error.name}: ${error.message}`); }
}
