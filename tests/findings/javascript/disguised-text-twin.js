// expect:
const caf\u00e9 = '\u0065\u{1f600}', color = 0x4f2a, _0 = 1;
console.log(caf\u00e9, color, _0, [![], +[]]);
