// expect:
// http://169.254.169.254/latest/
const blocked = new Set(['169.254.169.254', '100.100.100.200']);
const isAllowed = (host) => !blocked.has(host) && host !== 'metadata.google.internal' && !host.startsWith('169.254.169.254');
console.log(isAllowed('192.168.0.1'), 169.254, 'the address 169.254.169.254 is refused', 'http://a.169.254.169.254.example/');
switch (process.argv[2]) {
  case 'fd00:ec2::254': console.log('no');
}
