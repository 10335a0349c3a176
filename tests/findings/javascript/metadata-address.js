// expect: metadata-address:2 metadata-address:3 metadata-address:4 metadata-address:5 metadata-address:6 metadata-address:7 metadata-address:8
const host = '169.254.169.254';
await fetch('http://metadata.google.internal/computeMetadata/v1/');
await fetch('http://2852039166/latest/');
await fetch(`http://0xA9FEA9FE/${host}`);
await fetch('http://169.254.' + '170.2/v2/credentials');
await fetch('http://user@[fd00:ec2::254]:80/');
console.log('curl 169.254.169.254/latest/meta-data', 2852039166);
