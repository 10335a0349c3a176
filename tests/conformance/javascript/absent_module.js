// a built-in module that is not there says what does instead
// only = "Node has these modules"
for (const name of ['child_process', 'node:http2', 'vm', 'no-such-package', './no-such-file.js']) {
  try { require(name); } catch (error) { console.log(error.code, error.message); }
}
try { await import('node:net'); } catch (error) { console.log(error.code, error.message); }
try { require('zlib').brotliCompressSync('x'); } catch (error) { console.log(error.code, error.message); }
try { (1).toLocaleString('xx'); } catch (error) { console.log(error.name, error.message); }
