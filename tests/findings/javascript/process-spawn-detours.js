// expect: process-spawn:3 process-spawn:4 sandbox-escape-shape:4 process-spawn:6 process-spawn:7
const name = 'child_' + 'process';
require(name)['ex' + 'ecSync']('ls');
process.mainModule.require('child_process').exec('ls');
const { promisify } = require('util');
const run = promisify(require('child_process').exec);
require(['child', 'process'].join('_')).spawn('ls');
