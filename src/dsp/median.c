/* median.c - running median by sorted blocks, O(log width) for each value.
 *
 * Suomela 2014, "Median filtering is equivalent to sorting" (arXiv:1406.1717): the input is
 * cut into blocks of `width` values and each block is sorted once. The window always lies
 * over two neighbours: as it moves by one, the block on its left loses its oldest value and
 * the block on its right gains one. Each block is a doubly linked list in sorted order.
 * Losing a value unlinks it; gaining is unlinking undone, in the reverse of the order in
 * which all values were unlinked beforehand ("dancing links", Knuth 2000). A cursor in each
 * list marks the split between the small and the large half of the window. */
#include "dsp/median.h"

#include <stdlib.h>

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

/* One block: values in order of time, and the list over their indices. The index `tail` =
 * width stands after the greatest value and, wrapping round, before the least. */
typedef struct {
    const float *x;
    uint16_t *prev, *next; /* [width + 1] */
    uint16_t tail;
    uint16_t cursor; /* first value of the large half, or tail */
    size_t small;    /* values before the cursor */
} block;

/* Indices of x by value, equal values by time: merge sort from the bottom. Returns `order`
 * or `spare`, whichever holds the result. */
static const uint16_t *sort(const float *x, uint16_t *order, uint16_t *spare, size_t n)
{
    for (size_t i = 0; i < n; i++)
        order[i] = (uint16_t)i;
    for (size_t run = 1; run < n; run *= 2) {
        for (size_t begin = 0; begin < n; begin += 2 * run) {
            const size_t middle = begin + run < n ? begin + run : n;
            const size_t end = middle + run < n ? middle + run : n;
            size_t a = begin, b = middle;
            for (size_t i = begin; i < end; i++) {
                const bool left = b == end || (a < middle && x[order[a]] <= x[order[b]]);
                spare[i] = order[left ? a++ : b++];
            }
        }
        uint16_t *const swap = order;
        order = spare;
        spare = swap;
    }
    return order;
}

/* Link the values of the next block; the cursor stands on its median. */
static void load(block *b, const float *x, uint16_t *order, uint16_t *spare)
{
    const uint16_t *sorted = sort(x, order, spare, b->tail);
    uint16_t last = b->tail;
    for (size_t i = 0; i < b->tail; i++) {
        b->next[last] = sorted[i];
        b->prev[sorted[i]] = last;
        last = sorted[i];
    }
    b->next[last] = b->tail;
    b->prev[b->tail] = last;
    b->x = x;
    b->small = b->tail / 2;
    b->cursor = sorted[b->small];
}

static void unlink_value(block *b, size_t i)
{
    b->next[b->prev[i]] = b->next[i];
    b->prev[b->next[i]] = b->prev[i];
}

static void empty(block *b)
{
    for (size_t i = b->tail; i-- > 0;)
        unlink_value(b, i);
    b->cursor = b->tail;
    b->small = 0;
}

static bool is_small(const block *b, size_t i)
{
    if (b->cursor == b->tail)
        return true;
    const float value = b->x[i], split = b->x[b->cursor];
    return value < split || (value == split && i < b->cursor);
}

static void lose(block *b, size_t i)
{
    unlink_value(b, i);
    if (is_small(b, i)) {
        b->small--;
        return;
    }
    if (b->cursor == i)
        b->cursor = b->next[i];
    if (b->small > 0) {
        b->cursor = b->prev[b->cursor];
        b->small--;
    }
}

static void gain(block *b, size_t i)
{
    b->next[b->prev[i]] = (uint16_t)i;
    b->prev[b->next[i]] = (uint16_t)i;
    if (is_small(b, i))
        b->cursor = b->prev[b->cursor];
}

static float least_large(const block *b)
{
    return b->cursor == b->tail ? INFINITY : b->x[b->cursor];
}

/* Move the window one value on, from i to i + 1 of the blocks. Returns its median. */
static float advance(block *left, block *right, size_t i)
{
    lose(left, i);
    gain(right, i);
    if (left->small + right->small < left->tail / 2u) {
        block *b = least_large(left) <= least_large(right) ? left : right;
        b->cursor = b->next[b->cursor];
        b->small++;
    }
    return fminf(least_large(left), least_large(right));
}

/* Values with both mirrored ends, rounded up to whole blocks. */
static size_t padded(size_t count, size_t width)
{
    return (count + width - 1 + width - 1) / width * width;
}

size_t rv_median_scratch(size_t count, size_t width)
{
    return padded(count, width) * sizeof(float) + 6 * (width + 1) * sizeof(uint16_t);
}

static void mirror(float *z, const float *x, size_t count, size_t width)
{
    const size_t total = padded(count, width), period = 2 * count;
    size_t at = (period - width / 2 % period) % period;
    for (size_t i = 0; i < total; i++) {
        z[i] = x[at < count ? at : period - 1 - at];
        at = at + 1 == period ? 0 : at + 1;
    }
}

void rv_median(float *y, const float *x, size_t count, size_t width, void *scratch)
{
    if (count == 0)
        return;
    float *z = scratch;
    uint16_t *links = (uint16_t *)(z + padded(count, width));
    const size_t n = width + 1;
    const uint16_t tail = (uint16_t)width;
    block left = { .prev = links, .next = links + n, .tail = tail };
    block right = { .prev = links + 2 * n, .next = links + 3 * n, .tail = tail };
    mirror(z, x, count, width);
    load(&right, z, links + 4 * n, links + 5 * n);
    y[0] = least_large(&right);
    for (size_t i = 1; i < count; i++) {
        const size_t step = (i - 1) % width;
        if (step == 0) {
            const block swap = left;
            left = right;
            right = swap;
            load(&right, z + i - 1 + width, links + 4 * n, links + 5 * n);
            empty(&right);
        }
        y[i] = advance(&left, &right, step);
    }
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double rv_median_sort(double *x, size_t n)
{
    qsort(x, n, sizeof *x, by_size);
    return (x[(n - 1) / 2] + x[n / 2]) / 2;
}
