//! Standard streams: how does the guest read its input and write its output?

// The handles that the prologue takes, in this order.
static handle_t stdin_stream, stdout_stream, stderr_stream;
static preopen_list_t preopens;

// Every instance takes its host handles here and nowhere else, in this order: a memory that is copied into another instance then finds
// the same handle numbers.
static void take_handles(void) {
    stdin_stream = wasi_get_stdin();
    stdout_stream = wasi_get_stdout();
    stderr_stream = wasi_get_stderr();
    wasi_preopens(&preopens);
}

static bool stream_is_broken(const stream_done_t *done) {
    if (!done->is_error)
        return false;
    if (done->kind == STREAM_FAILED)
        wasi_drop_error(done->error);
    return true;
}

// What the host lets us write at once without asking for a permit.
#define UNASKED_BYTES 4096

// Writes all of it and flushes. False if the stream is closed or broken.
static bool write_all(handle_t stream, const uint8_t *bytes, size_t length) {
    stream_done_t done;
    while (length > UNASKED_BYTES) {
        stream_permit_t permit;
        wasi_check_write(stream, &permit);
        if (permit.is_error) {
            if (permit.kind == STREAM_FAILED)
                wasi_drop_error(permit.error);
            return false;
        }
        size_t part = permit.permit < length ? (size_t)permit.permit : length;
        if (part == 0) {
            part = UNASKED_BYTES;
            wasi_blocking_write_and_flush(stream, bytes, part, &done);
        } else {
            wasi_write(stream, bytes, part, &done);
        }
        if (stream_is_broken(&done))
            return false;
        bytes += part;
        length -= part;
    }
    if (length)
        wasi_blocking_write_and_flush(stream, bytes, length, &done);
    else
        wasi_blocking_flush(stream, &done);
    return !stream_is_broken(&done);
}

// One chunk of standard input; the caller frees it. Empty at the end of the input and after an error.
static wasi_list_t read_input(void) {
    stream_read_t result;
    do {
        wasi_blocking_read(stdin_stream, 65536, &result);
    } while (!result.is_error && result.chunk.length == 0);
    if (!result.is_error)
        return result.chunk;
    if (result.kind == STREAM_FAILED)
        wasi_drop_error(result.error);
    return (wasi_list_t){0};
}
