// test_header_cpp.cpp - each public header compiles alone as C++.
#include RV_TEST_HEADER

int main()
{
    return 0;
}
