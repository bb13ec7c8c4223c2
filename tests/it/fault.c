/* A disk that fails: preloaded before libc, it lets one call on the store's files
 * go wrong, as the environment says. It does not know who calls, or why.
 *
 *   FAULT_FILE   part of the path of the files in question
 *   FAULT_CALL   write, sync or truncate
 *   FAULT_AT     which of these calls goes wrong, from 1
 *   FAULT_ERRNO  the number it fails with
 *   FAULT_HALF   when set, a write does its first half before it fails
 *   FAULT_STAYS  when set, all later calls, of any kind, fail as well
 *   FAULT_MARK   a file that is made when it happens
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

static int is_ours(int fd) {
    const char *file = getenv("FAULT_FILE");
    char link[64], path[4096];
    if (!file) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return strstr(path, file) != NULL;
}

static int happened;

/* Whether this call goes wrong; errno is then set. */
static int goes_wrong(const char *call, int fd) {
    static long calls;
    if (!is_ours(fd)) return 0;
    if (!happened || !getenv("FAULT_STAYS")) {
        if (happened || strcmp(getenv("FAULT_CALL"), call)) return 0;
        if (__atomic_add_fetch(&calls, 1, __ATOMIC_SEQ_CST) != atol(getenv("FAULT_AT"))) return 0;
        happened = 1;
        close(open(getenv("FAULT_MARK"), O_CREAT | O_WRONLY, 0600));
    }
    errno = atoi(getenv("FAULT_ERRNO"));
    return 1;
}

ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t at) {
    if (!goes_wrong("write", fd)) return syscall(SYS_pwrite64, fd, bytes, size, at);
    int reason = errno;
    if (getenv("FAULT_HALF")) syscall(SYS_pwrite64, fd, bytes, size / 2, at);
    errno = reason;
    return -1;
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t at) {
    return pwrite64(fd, bytes, size, at);
}

ssize_t write(int fd, const void *bytes, size_t size) {
    if (!goes_wrong("write", fd)) return syscall(SYS_write, fd, bytes, size);
    int reason = errno;
    if (getenv("FAULT_HALF")) syscall(SYS_write, fd, bytes, size / 2);
    errno = reason;
    return -1;
}

int fsync(int fd) {
    return goes_wrong("sync", fd) ? -1 : (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd) {
    return goes_wrong("sync", fd) ? -1 : (int)syscall(SYS_fdatasync, fd);
}

int ftruncate64(int fd, off64_t size) {
    return goes_wrong("truncate", fd) ? -1 : (int)syscall(SYS_ftruncate, fd, size);
}

int ftruncate(int fd, off_t size) {
    return ftruncate64(fd, size);
}
