// expect: disguised-text:2 disguised-text:3 disguised-text:4 disguised-text:5
\u0065val('1');
const _0x4f2a = ['log'];
console[_0x4f2a[0]](1);
[][(![]+[])[+[]]];
