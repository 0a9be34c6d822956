/* math_f64_impl.h - exp, tanh, sigmoid, gelu and its derivative for vectors of double: libm. */
#include <math.h>

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

static double normal_cdf(double x)
{
    return 0.5 * erfc(-x * M_SQRT1_2);
}

static double gelu(double x)
{
    return x * normal_cdf(x);
}

/* Phi(x) + x exp(-x^2 / 2) / sqrt(2 pi) */
static double gelu_grad(double x)
{
    return normal_cdf(x) + x * (M_SQRT1_2 / 2 * M_2_SQRTPI) * exp(-0.5 * x * x);
}

#define BY_LANE(name, f)                   \
    INLINE vec name(vec x)                 \
    {                                      \
        for (size_t i = 0; i < LANES; i++) \
            x[i] = f(x[i]);                \
        return x;                          \
    }
BY_LANE(vec_exp, exp)
BY_LANE(vec_weight, exp)
BY_LANE(vec_tanh, tanh)
BY_LANE(vec_sigmoid, sigmoid)
BY_LANE(vec_gelu, gelu)
BY_LANE(vec_gelu_grad, gelu_grad)
#undef BY_LANE
