/* Only read: the model test has a gpu_raw that names it. */
__kernel void run(void)
{
}
