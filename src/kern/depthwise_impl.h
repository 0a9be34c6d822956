/* depthwise_impl.h - convolution of each channel by itself, channels side by side in a row. */

static void depthwise(kern_real *y, const kern_real *x, const kern_real *w, const kern_real *bias,
                      size_t m, size_t n, size_t taps, size_t dilation)
{
    for (size_t t = 0; t < m; t++, y += n, x += n)
        for (size_t c = 0; c < n; c += LANES) {
            const size_t left = n - c;
            vec sum = bias ? load_some(bias + c, left) : splat(0);
            for (size_t j = 0; j < taps; j++)
                sum += load_some(w + j * n + c, left) * load_some(x + j * dilation * n + c, left);
            store_some(y + c, sum, left);
        }
}
