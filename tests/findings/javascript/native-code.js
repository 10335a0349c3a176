// expect: native-code:2 native-code:3 native-code:4 native-code:5
process.dlopen(module, './addon');
process.binding('fs');
const addon = require('./build/Release/addon.node');
import koffi from 'koffi';
