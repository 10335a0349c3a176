//! Errors and constants of files: what do Node's `lib/fs.js` and its binding, `lazy/fs_binding.js`, share with the other parts?
(native, internal) => {
  // `error-code` of WASI: name, message, number as in Node.
  const codes = [
    ['EACCES', 'permission denied', -13], ['EAGAIN', 'resource temporarily unavailable', -11], ['EALREADY', 'connection already in progress', -114],
    ['EBADF', 'bad file descriptor', -9], ['EBUSY', 'resource busy or locked', -16], ['EDEADLK', 'resource deadlock avoided', -35],
    ['EDQUOT', 'disk quota exceeded', -122], ['EEXIST', 'file already exists', -17], ['EFBIG', 'file too large', -27],
    ['EILSEQ', 'illegal byte sequence', -84], ['EINPROGRESS', 'operation in progress', -115], ['EINTR', 'interrupted system call', -4],
    ['EINVAL', 'invalid argument', -22], ['EIO', 'i/o error', -5], ['EISDIR', 'illegal operation on a directory', -21],
    ['ELOOP', 'too many symbolic links encountered', -40], ['EMLINK', 'too many links', -31], ['EMSGSIZE', 'message too long', -90],
    ['ENAMETOOLONG', 'name too long', -36], ['ENODEV', 'no such device', -19], ['ENOENT', 'no such file or directory', -2],
    ['ENOLCK', 'no locks available', -37], ['ENOMEM', 'not enough memory', -12], ['ENOSPC', 'no space left on device', -28],
    ['ENOTDIR', 'not a directory', -20], ['ENOTEMPTY', 'directory not empty', -39], ['ENOTRECOVERABLE', 'state not recoverable', -131],
    ['ENOTSUP', 'operation not supported on socket', -95], ['ENOTTY', 'inappropriate ioctl for device', -25], ['ENXIO', 'no such device or address', -6],
    ['EOVERFLOW', 'value too large for defined data type', -75], ['EPERM', 'operation not permitted', -1], ['EPIPE', 'broken pipe', -32],
    ['EROFS', 'read-only file system', -30], ['ESPIPE', 'invalid seek', -29], ['ETXTBSY', 'text file is busy', -26], ['EXDEV', 'cross-device link not permitted', -18],
  ];
  const fileError = (failure, call, name, other) => {
    const [code, text, errno] = codes[-1 - failure] ?? codes[13];
    const error = new Error(`${code}: ${text}, ${call}${name === undefined ? '' : ` '${name}'`}${other === undefined ? '' : ` -> '${other}'`}`);
    Object.assign(error, { errno, code, syscall: call });
    if (name !== undefined) error.path = `${name}`;
    if (other !== undefined) error.dest = `${other}`;
    return error;
  };
  internal.fileError = fileError;
  internal.errorNames = () => new Map(codes.map(([code, text, number]) => [number, [code, text]]));
  const FORMATS = { S_IFMT: 61440, S_IFREG: 32768, S_IFDIR: 16384, S_IFCHR: 8192, S_IFBLK: 24576, S_IFIFO: 4096, S_IFLNK: 40960, S_IFSOCK: 49152 };
  const RIGHTS = { S_IRWXU: 448, S_IRUSR: 256, S_IWUSR: 128, S_IXUSR: 64, S_IRWXG: 56, S_IRGRP: 32, S_IWGRP: 16, S_IXGRP: 8, S_IRWXO: 7, S_IROTH: 4, S_IWOTH: 2, S_IXOTH: 1 };
  internal.fsConstants = {
    __proto__: null, UV_FS_SYMLINK_DIR: 1, UV_FS_SYMLINK_JUNCTION: 2, O_RDONLY: 0, O_WRONLY: 1, O_RDWR: 2, UV_DIRENT_UNKNOWN: 0, UV_DIRENT_FILE: 1, UV_DIRENT_DIR: 2, UV_DIRENT_LINK: 3,
    UV_DIRENT_FIFO: 4, UV_DIRENT_SOCKET: 5, UV_DIRENT_CHAR: 6, UV_DIRENT_BLOCK: 7, ...FORMATS, O_CREAT: 64, O_EXCL: 128,
    UV_FS_O_FILEMAP: 0, O_NOCTTY: 256, O_TRUNC: 512, O_APPEND: 1024, O_DIRECTORY: 65536, O_NOATIME: 262144, O_NOFOLLOW: 131072, O_SYNC: 1052672, O_DSYNC: 4096, O_DIRECT: 16384, O_NONBLOCK: 2048,
    ...RIGHTS, F_OK: 0, R_OK: 4, W_OK: 2, X_OK: 1, UV_FS_COPYFILE_EXCL: 1, COPYFILE_EXCL: 1, UV_FS_COPYFILE_FICLONE: 2, COPYFILE_FICLONE: 2, UV_FS_COPYFILE_FICLONE_FORCE: 4, COPYFILE_FICLONE_FORCE: 4,
  };
  internal.signals = Object.fromEntries(['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGILL', 'SIGTRAP', 'SIGABRT', 'SIGBUS', 'SIGFPE', 'SIGKILL', 'SIGUSR1', 'SIGSEGV', 'SIGUSR2', 'SIGPIPE', 'SIGALRM', 'SIGTERM'].map((name, at) => [name, at + 1]));
}
