/* map_impl.h - pointwise functions, and the gated linear unit. */
#ifdef RV_DOUBLE
#    include "kern/math_f64_impl.h"
#else
#    include "kern/math_f32_impl.h"
#endif

INLINE vec vec_relu(vec x)
{
    return at_least(x, 0);
}

#define MAP(name, f)                                                 \
    static void name(kern_real *y, const kern_real *x, size_t n)     \
    {                                                                \
        size_t i = 0;                                                \
        for (; n - i >= LANES; i += LANES)                           \
            store(y + i, f(load(x + i)));                            \
        if (i < n)                                                   \
            store_part(y + i, f(load_part(x + i, n - i, 0)), n - i); \
    }
MAP(map_exp, vec_exp)
MAP(map_tanh, vec_tanh)
MAP(map_sigmoid, vec_sigmoid)
MAP(map_relu, vec_relu)
MAP(map_gelu, vec_gelu)
MAP(map_gelu_grad, vec_gelu_grad)
#undef MAP

static void glu(kern_real *y, const kern_real *x, size_t m, size_t n)
{
    for (size_t i = 0; i < m; i++, x += 2 * n, y += n)
        for (size_t j = 0; j < n; j += LANES) {
            const vec gate = vec_sigmoid(load_some(x + n + j, n - j));
            store_some(y + j, load_some(x + j, n - j) * gate, n - j);
        }
}
