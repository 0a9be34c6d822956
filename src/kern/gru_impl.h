/* gru_impl.h - the pointwise part of a step of a GRU:
 *     n = tanh(a + sigmoid(r) u),   h = n + sigmoid(z) (h - n)
 * where a and u are the terms of n from the input and from the state. */

static void gru_cell(kern_real *hidden, size_t hidden_row, kern_real *state, const kern_real *gates,
                     size_t m, size_t h)
{
    for (size_t i = 0; i < m; i++, hidden += hidden_row, state += h, gates += 4 * h)
        for (size_t j = 0; j < h; j += LANES) {
            const size_t left = h - j;
            const vec reset = vec_sigmoid(load_some(gates + j, left));
            const vec update = vec_sigmoid(load_some(gates + h + j, left));
            const vec product = load_some(gates + 3 * h + j, left);
            const vec fresh = vec_tanh(load_some(gates + 2 * h + j, left) + reset * product);
            const vec next = fresh + update * (load_some(state + j, left) - fresh);
            store_some(state + j, next, left);
            store_some(hidden + j, next, left);
        }
}

/* With dh of the state after the step:
 *     dn = dh (1 - z) (1 - n^2)
 *     gates: dn u r (1 - r), dh (h - n) z (1 - z), dn, dn r;   dh: z dh */
static void gru_cell_back(kern_real *gates, size_t gates_row, kern_real *dh,
                          const kern_real *before, size_t before_row, size_t m, size_t h)
{
    for (size_t i = 0; i < m; i++, gates += gates_row, dh += h, before += before ? before_row : 0)
        for (size_t j = 0; j < h; j += LANES) {
            const size_t left = h - j;
            const vec r = vec_sigmoid(load_some(gates + j, left));
            const vec z = vec_sigmoid(load_some(gates + h + j, left));
            const vec u = load_some(gates + 3 * h + j, left);
            const vec n = vec_tanh(load_some(gates + 2 * h + j, left) + r * u);
            const vec old = before ? load_some(before + j, left) : splat(0);
            const vec d = load_some(dh + j, left), d_new = d * (1 - z) * (1 - n * n);
            store_some(gates + j, d_new * u * r * (1 - r), left);
            store_some(gates + h + j, d * (old - n) * z * (1 - z), left);
            store_some(gates + 2 * h + j, d_new, left);
            store_some(gates + 3 * h + j, d_new * r, left);
            store_some(dh + j, d * z, left);
        }
}
