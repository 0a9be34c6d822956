/* SPDX-License-Identifier: MIT */
/**
 * @file ravel/dataset.h
 * @brief Data sets for training: made, checked and stored.
 */
#ifndef RV_DATASET_H
#define RV_DATASET_H

#include <ravel/base.h>

RV_BEGIN_DECLS

RV_END_DECLS

#endif /* RV_DATASET_H */
