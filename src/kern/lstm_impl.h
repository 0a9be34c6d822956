/* lstm_impl.h - the pointwise part of a step of an LSTM:
 *     c = sigmoid(f) c + sigmoid(i) tanh(g),   h = sigmoid(o) tanh(c) */

static void lstm_cell(kern_real *hidden, size_t hidden_row, kern_real *cell, const kern_real *gates,
                      size_t m, size_t h)
{
    for (size_t i = 0; i < m; i++, hidden += hidden_row, cell += h, gates += 4 * h)
        for (size_t j = 0; j < h; j += LANES) {
            const size_t left = h - j;
            const vec input = vec_sigmoid(load_some(gates + j, left));
            const vec forget = vec_sigmoid(load_some(gates + h + j, left));
            const vec fresh = vec_tanh(load_some(gates + 2 * h + j, left));
            const vec output = vec_sigmoid(load_some(gates + 3 * h + j, left));
            const vec c = forget * load_some(cell + j, left) + input * fresh;
            store_some(cell + j, c, left);
            store_some(hidden + j, output * vec_tanh(c), left);
        }
}
