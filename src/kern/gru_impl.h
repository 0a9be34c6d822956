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
