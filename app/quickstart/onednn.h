// The same product by oneDNN, its weights in the format it likes best.
#pragma once

#include <functional>

// A call that computes C[m,n] = A[m,k] * W^T with W given as n x k; empty when oneDNN fails.
std::function<void(int copy)> onednn_product(int m, int n, int k, const float* a, const float* w, float* c, int copies);
