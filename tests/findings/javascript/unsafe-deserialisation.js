// expect: unsafe-deserialisation:5 unsafe-deserialisation:6
const serialize = require('node-serialize');
const v8 = require('v8');

serialize.unserialize(process.argv[2]);
v8.deserialize(Buffer.from(process.argv[2], 'base64'));
