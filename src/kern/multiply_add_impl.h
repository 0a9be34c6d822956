/* multiply_add_impl.h - as many multiplications and additions as the CPU can do, without memory:
 * the ceiling of all other kernels. The chains are as many as hide the latency of a multiply-add;
 * they start from different numbers, or a compiler would see that one is enough. */
enum { CHAINS = 12 };

static double multiply_adds(size_t rounds, kern_real *value)
{
    const vec factor = splat((kern_real)0.5), term = splat(1);
    vec chain[CHAINS];
#pragma GCC unroll 12
    for (size_t c = 0; c < CHAINS; c++)
        chain[c] = splat(*value + (kern_real)c);
    for (size_t r = 0; r < rounds; r++)
#pragma GCC unroll 12
        for (size_t c = 0; c < CHAINS; c++)
            chain[c] = chain[c] * factor + term;
#pragma GCC unroll 12
    for (size_t c = 1; c < CHAINS; c++)
        chain[0] += chain[c];
    *value = chain[0][0] / CHAINS;
    return 2.0 * CHAINS * LANES * (double)rounds;
}
