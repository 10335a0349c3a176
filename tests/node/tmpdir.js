// A stand-in for `test/common/tmpdir` of Node's own tests: a folder of the workspace.
'use strict';
const fs = require('fs');
const path = require('path');
const { pathToFileURL } = require('url');

const folder = path.resolve(process.env.NODE_TEST_DIR ?? '/work', '.tmp.0');
const resolve = (...parts) => path.resolve(folder, ...parts);
module.exports = {
  path: folder, resolve, fileURL: (...parts) => pathToFileURL(resolve(...parts)), hasEnoughSpace: () => false,
  refresh() {
    fs.rmSync(folder, { recursive: true, force: true });
    fs.mkdirSync(folder);
  },
};
