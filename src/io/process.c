/* process.c - posix_spawnp() with the input and the errors in files without a name, the output
 * through a pipe. A file as input cannot block and raises no SIGPIPE, whatever the program reads.
 */
#include "io/process.h"

#include "base/status.h"
#include "io/text.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

typedef struct process {
    const char *name;
    pid_t pid;
    FILE *input, *errors; /* without names: gone when closed */
    int output;           /* our end of the pipe */
    unsigned char *data;
    size_t size, room;
    rv_process_limits limits;
    double deadline;
} process;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static rv_status open_files(process *p, const char *input, rv_error *err)
{
    p->input = tmpfile();
    p->errors = tmpfile();
    if (!p->input || !p->errors)
        return RV_FAIL(err, RV_ERR_IO, "%s: cannot make a temporary file: %s", p->name,
                       strerror(errno));
    /* Programs that other threads start meanwhile shall not inherit them. */
    fcntl(fileno(p->input), F_SETFD, FD_CLOEXEC);
    fcntl(fileno(p->errors), F_SETFD, FD_CLOEXEC);
    const size_t n = strlen(input);
    if (fwrite(input, 1, n, p->input) != n || fflush(p->input) != 0 ||
        lseek(fileno(p->input), 0, SEEK_SET) != 0)
        return RV_FAIL(err, RV_ERR_IO, "%s: cannot write its input to a temporary file: %s",
                       p->name, strerror(errno));
    return RV_OK;
}

/* The program starts with no signal blocked or ignored, whatever its caller does. */
static int spawn(process *p, const char *const *argv, int output)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    sigemptyset(&none);
    sigemptyset(&all);
    sigaddset(&all, SIGPIPE);
    if (posix_spawn_file_actions_init(&files) != 0)
        return ENOMEM;
    int code = posix_spawnattr_init(&attributes);
    if (!code) {
        posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
        posix_spawnattr_setsigmask(&attributes, &none);
        posix_spawnattr_setsigdefault(&attributes, &all);
        code = posix_spawn_file_actions_adddup2(&files, fileno(p->input), STDIN_FILENO);
        code = code ? code : posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO);
        code = code ? code
                    : posix_spawn_file_actions_adddup2(&files, fileno(p->errors), STDERR_FILENO);
        code = code ? code
                    : posix_spawnp(&p->pid, argv[0], &files, &attributes,
                                   (char *const *)(uintptr_t)argv, environ);
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&files);
    return code;
}

static rv_status start(process *p, const char *const *argv, rv_error *err)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return RV_FAIL(err, RV_ERR_IO, "%s: cannot make a pipe: %s", p->name, strerror(errno));
    p->output = ends[0];
    const int code = spawn(p, argv, ends[1]);
    close(ends[1]);
    if (code) {
        p->pid = 0;
        return RV_FAIL(err, code == ENOENT ? RV_ERR_UNSUPPORTED : RV_ERR_IO, "cannot run %s: %s",
                       p->name, strerror(code));
    }
    return RV_OK;
}

static rv_status too_slow(const process *p, rv_error *err)
{
    return RV_FAIL(err, RV_ERR_IO, "%s did not end within %g seconds and was stopped", p->name,
                   p->limits.seconds);
}

static rv_status make_room(process *p, rv_error *err)
{
    if (p->size < p->room)
        return RV_OK;
    if (p->size > p->limits.bytes)
        return RV_FAIL(err, RV_ERR_IO, "%s printed more than %zu bytes and was stopped", p->name,
                       p->limits.bytes);
    const size_t room = p->room ? 2 * p->room : 65536;
    unsigned char *data = realloc(p->data, room);
    if (!data)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: %zu bytes of output", p->name, room);
    p->data = data;
    p->room = room;
    return RV_OK;
}

static rv_status take_output(process *p, rv_error *err)
{
    for (;;) {
        RV_TRY(make_room(p, err));
        const double left = p->deadline - now();
        struct pollfd ready = { .fd = p->output, .events = POLLIN };
        const int polled = left > 0 ? poll(&ready, 1, (int)(left * 1000) + 1) : 0;
        if (polled == 0)
            return too_slow(p, err);
        const ssize_t got = polled > 0 ? read(p->output, p->data + p->size, p->room - p->size) : -1;
        if (got == 0)
            return RV_OK;
        if (got < 0 && errno != EINTR)
            return RV_FAIL(err, RV_ERR_IO, "%s: cannot read its output: %s", p->name,
                           strerror(errno));
        p->size += got > 0 ? (size_t)got : 0;
    }
}

static rv_status failed(process *p, int how, rv_error *err)
{
    char line[256] = "";
    if (lseek(fileno(p->errors), 0, SEEK_SET) == 0) {
        const ssize_t got = read(fileno(p->errors), line, sizeof line - 1);
        line[got > 0 ? got : 0] = '\0';
    }
    const rv_shown shown = rv_show(line, strcspn(line, "\n"));
    if (WIFSIGNALED(how))
        return RV_FAIL(err, RV_ERR_IO, "%s was ended by signal %d", p->name, WTERMSIG(how));
    return RV_FAIL(err, RV_ERR_IO, "%s failed (exit status %d): %s", p->name, WEXITSTATUS(how),
                   *shown.text ? shown.text : "it gave no reason");
}

/* A program may close its output and go on: wait no longer than until the deadline. */
static rv_status wait_end(process *p, rv_error *err)
{
    int how = 0;
    for (;;) {
        const pid_t got = waitpid(p->pid, &how, WNOHANG);
        if (got == p->pid)
            break;
        if (got < 0 && errno == ECHILD) { /* the caller has the system reap; no status is known */
            how = 0;
            break;
        }
        if (got < 0 && errno != EINTR)
            return RV_FAIL(err, RV_ERR_IO, "%s: cannot wait for it: %s", p->name, strerror(errno));
        if (now() > p->deadline)
            return too_slow(p, err);
        nanosleep(&(struct timespec){ .tv_nsec = 300000 }, NULL);
    }
    p->pid = 0;
    return how == 0 ? RV_OK : failed(p, how, err);
}

static void clean_up(process *p)
{
    if (p->pid > 0) {
        kill(p->pid, SIGKILL);
        while (waitpid(p->pid, NULL, 0) < 0 && errno == EINTR)
            continue;
    }
    if (p->output >= 0)
        close(p->output);
    if (p->input)
        fclose(p->input);
    if (p->errors)
        fclose(p->errors);
}

rv_status rv_process_run(unsigned char **data, size_t *size, const char *const *argv,
                         const char *input, rv_process_limits limits, rv_error *err)
{
    process p = { .name = argv[0], .output = -1, .limits = limits };
    p.deadline = now() + limits.seconds;
    rv_status status = open_files(&p, input, err);
    status = status ? status : start(&p, argv, err);
    status = status ? status : take_output(&p, err);
    status = status ? status : wait_end(&p, err);
    clean_up(&p);
    if (status != RV_OK) {
        free(p.data);
        return status;
    }
    *data = p.data;
    *size = p.size;
    return RV_OK;
}
