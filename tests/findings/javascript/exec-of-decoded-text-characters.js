// expect: exec-of-decoded-text:2 exec-of-decoded-text:3 exec-of-decoded-text:4 exec-of-decoded-text:5 exec-of-decoded-text:6
eval(String.fromCharCode(99, 111, 110, 115, 111, 108, 101));
eval([99, 111, 110].map((code) => String.fromCharCode(code ^ 1)).join(''));
eval(')1(gol.elosnoc'.split('').reverse().join(''));
eval(unescape('%63%6f%6e'));
eval(function (p, a, c, k) { while (c--) p = p.replace(k[c], String.fromCharCode(c + 29)); return p; }('0', 1, 1, ['x']));
