/* cli.h - what the commands of ravel share. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <ravel/separate.h>

#include <stdbool.h>

enum { EXIT_OK = 0, EXIT_SOME_FAILED = 1, EXIT_USAGE = 2, EXIT_INTERRUPTED = 130 };

/* Commands: the arguments start with the command's own name. They return the exit code. */
int cmd_separate(int argc, char **argv);
int cmd_models(int argc, char **argv);
int cmd_train(int argc, char **argv);
int cmd_dataset(int argc, char **argv);
int cmd_features(int argc, char **argv);
int cmd_refine(int argc, char **argv);
int cmd_synth(int argc, char **argv);
int cmd_eval(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_bench(int argc, char **argv);

/* "ravel: ..." on standard error, one line. */
RV_PRINTF(1, 2)
void cli_complain(const char *fmt, ...);

/* True once Ctrl-C was pressed; a second one ends the program at once. */
bool cli_interrupted(void);
void cli_catch_interrupt(void);

/* The nearest of `words` (NULL-terminated) if it is near enough to be meant, or NULL. */
const char *cli_nearest(const char *word, const char *const *words);

#endif
