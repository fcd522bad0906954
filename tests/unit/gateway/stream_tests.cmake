# The streams' tests: each with the rig that stands for sockets, hub, orchestrator and server.
set(stream_wraps
    lws_write lws_callback_on_writable lws_partial_buffered lws_close_reason lws_rx_flow_control
    lws_set_timeout lws_get_socket_fd lws_is_final_fragment lws_frame_is_binary lws_get_protocol
    lws_hdr_copy lws_hdr_total_length lws_hdr_fragment_length lws_hdr_copy_fragment
    lws_hdr_custom_length lws_hdr_custom_copy
    lws_wsi_user lws_is_first_fragment lws_get_reserved_bits lws_remaining_packet_payload
    clock_mono_ms getrandom ioctl getsockopt setsockopt
    loop_timer_new loop_timer_start loop_timer_is_active loop_timer_free
    loop_defer_new loop_defer_schedule loop_defer_free clock_mono_us
    malloc calloc realloc strdup)
foreach(name stream stream_revoke stream_ask stream_auth stream_deflate stream_frames stream_request stream_runvoy stream_send stream_session
        stream_sub stream_sweep stream_turn)
  tailgate_test(test_${name} LIBS tg_gateway tg_logs tg_wire tg_base PkgConfig::LWS
                WRAP ${stream_wraps} SOURCES stream_rig.c stream_seams.c ../base/fail_alloc.c)
endforeach()
tailgate_test(test_stream_list LIBS tg_gateway tg_logs tg_wire tg_base PkgConfig::LWS
              WRAP ${stream_wraps} watch_open watch_close watch_next watch_has_more
              SOURCES stream_rig.c stream_seams.c ../base/fail_alloc.c)
tailgate_test(test_deflate LIBS tg_gateway tg_logs tg_wire tg_base PkgConfig::LWS PkgConfig::ZLIB
              WRAP malloc calloc realloc strdup SOURCES ../base/fail_alloc.c)
