/* cmd_dataset.h - the commands of ravel dataset. The arguments start with the command's own name.
 */
#ifndef CLI_CMD_DATASET_H
#define CLI_CMD_DATASET_H

/* One function for each, in cmd_dataset_NAME.c. They return the exit code. */
int cmd_dataset_render(int argc, char **argv);
int cmd_dataset_check(int argc, char **argv);
int cmd_dataset_gate(int argc, char **argv);
int cmd_dataset_shards(int argc, char **argv);

#endif
