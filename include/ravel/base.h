/* SPDX-License-Identifier: MIT */
/**
 * @file ravel/base.h
 * @brief Status codes, error detail and the attributes used by every header.
 *
 * Conventions that hold for the whole library
 *   - Functions that can fail return a rv_status. What they would have written
 *     is untouched on failure.
 *   - `x_new` or `x_open` makes an object and stores it through its first
 *     parameter; `x_free` destroys it and accepts NULL.
 *   - The library never prints, never exits, and keeps no global mutable state.
 *   - Audio is planar float, nominally in [-1, 1]; `frames` counts samples per
 *     channel.
 */
#ifndef RV_BASE_H
#define RV_BASE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#    define RV_BEGIN_DECLS extern "C" {
#    define RV_END_DECLS   }
#else
#    define RV_BEGIN_DECLS
#    define RV_END_DECLS
#endif

#if defined(_WIN32) && !defined(RV_STATIC)
#    ifdef RV_BUILDING
#        define RV_API __declspec(dllexport)
#    else
#        define RV_API __declspec(dllimport)
#    endif
#elif defined(__GNUC__)
#    define RV_API __attribute__((visibility("default")))
#else
#    define RV_API
#endif

#ifdef __GNUC__
#    define RV_NODISCARD         __attribute__((warn_unused_result))
#    define RV_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#    define RV_NODISCARD
#    define RV_PRINTF(fmt, args)
#endif

/** Real-time safe: does not allocate, lock or do I/O. Checked by the compiler
 *  (and RealtimeSanitizer) with Clang 20 and later; documentation elsewhere. */
#if defined(__clang__) && __clang_major__ >= 20
#    define RV_RT __attribute__((nonblocking))
#else
#    define RV_RT
#endif

#define RV_VERSION_MAJOR 0
#define RV_VERSION_MINOR 1
#define RV_VERSION_PATCH 0

RV_BEGIN_DECLS

/** Why a call failed. Values are part of the ABI: append, never renumber. */
typedef enum rv_status {
    RV_OK = 0,
    RV_ERR_NOMEM,       /**< an allocation failed */
    RV_ERR_ARG,         /**< an argument is out of its documented range */
    RV_ERR_SHAPE,       /**< tensor shapes do not fit the operation */
    RV_ERR_IO,          /**< reading or writing failed; see errno in the text */
    RV_ERR_FORMAT,      /**< the file is damaged, or not of the claimed kind */
    RV_ERR_UNSUPPORTED, /**< valid, but not available in this build or backend */
    RV_ERR_CANCELLED,   /**< the caller's progress callback asked to stop */
    RV_ERR_EXISTS,      /**< the output is there already and may not be overwritten */
    RV_ERR_DIVERGED,    /**< training: loss or gradient are no finite numbers any more */
} rv_status;

/** What the matrix products of a network are made of. */
typedef enum rv_precision {
    RV_FLOAT32,
    RV_INT16, /**< integers of 16 bits that share exponents (docs/speed.md): faster, half the memory
                   for weights */
} rv_precision;

/** Detail of the last failure, owned by the caller, no allocation inside. */
typedef struct rv_error {
    rv_status status;
    const char *where; /**< static string: the function that failed */
    char text[2000];   /**< one line: what, where in which file, what was expected */
} rv_error;

/** Name of a status in plain English; never NULL. */
RV_API const char *rv_status_text(rv_status status);

/** Version of the library in use, 0x00MMmmpp; compare with RV_VERSION_*. */
RV_API uint32_t rv_version(void);

RV_END_DECLS

#endif /* RV_BASE_H */
