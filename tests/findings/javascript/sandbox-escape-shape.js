// expect: sandbox-escape-shape:2 sandbox-escape-shape:3 sandbox-escape-shape:4
[].constructor.constructor('return process')();
this.constructor['constructor']('return this')();
process.mainModule.require('fs');
